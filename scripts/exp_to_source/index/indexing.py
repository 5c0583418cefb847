"""Writing the index of an exposure in one pass over its bytes."""

import os

from ..diagnostics import Diagnostic
from ..errors import InputError, OtherKindError
from ..files import size_and_mtime
from ..formats.cards import BLOCK
from ..formats.index_writer import write_index
from ..formats.rows import encode_column, encode_rows
from ..naming import exposure_name
from .diagnostics import diagnose, truncate
from .exposure import Exposure, check_model_type, match_hdus_to_slits, other_kind_error, read_tree
from .extension import read_extension
from .fitsfile import HDU, scan
from .records import encode_exposure_metadata, encode_primary_metadata, identify, slit_layouts


def index_exposure(path: str, output: str) -> list[Diagnostic]:
    """Write the index of an exposure: a MultiSlitModel saved as FITS.

    It reads every byte of the file once, and keeps no more than the ASDF extension in memory. It
    returns what products will lack, and what was done otherwise. A file that cannot be regrouped is
    an `InputError`; an `OtherKindError` if its header says so.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such file; correct the list of exposures or bring it back")
    name = exposure_name(path)
    file = os.open(path, os.O_RDONLY)
    try:
        before = size_and_mtime(file)
        hdus: list[HDU] = []
        for hdu in scan(file, path):
            # First of all, as the other HDUs of a file of another kind may be of any form.
            if not hdus:
                check_model_type(path, hdu)
            hdus.append(hdu)
        has_model = "DATAMODL" in hdus[0].header
        if not has_model and all(hdu.name != "ASDF" for hdu in hdus):
            raise other_kind_error(path, "no data model")
        extension = read_extension(file, path, hdus)
        if not has_model and "\nslits:" not in extension.text:
            raise other_kind_error(path, "no slits")
        is_whole = not os.pread(file, BLOCK, hdus[-1].end).strip(b"\0 ")
        tree, normalised = read_tree(path, hdus, extension, is_whole)
        exposure = Exposure(path, file, hdus, extension, tree, normalised)
        matched, unreferenced_hdus = match_hdus_to_slits(exposure)
        common, top = encode_exposure_metadata(exposure), encode_primary_metadata(exposure)
        slits = list(slit_layouts(exposure, matched, common, top))
        about = {"exposure": name, "path": path} | before | identify(tree)
        about |= {"standard": extension.standard}
        diagnostics = diagnose(exposure, matched, unreferenced_hdus, is_whole)
        parts = {
            "exposure_metadata": common,
            "primary_metadata": top,
            "tags": encode_column(sorted(tree.tags)),
            "diagnostics": encode_rows(truncate(diagnostics)),
            "text": tree.text.encode() if normalised else b"",
        }
        if size_and_mtime(path) != before:
            raise InputError(f"{path}: changed while it was read; run again")
        write_index(output, about, parts, slits)
        return diagnostics
    except (ValueError, RecursionError) as error:
        # Values are read when they are needed, so a damaged one can occur anywhere.
        what = "nested too deeply" if isinstance(error, RecursionError) else error
        raise InputError(f"{path}: damaged: {what}; correct it, or get the file again") from None
    finally:
        os.close(file)


def index_or_reason(
    path: str, output: str, skip_bad: bool = True, pass_over: bool = True
) -> list[Diagnostic]:
    """Write the index of an exposure, or instead the reason why it has none.

    The reason of an exposure that cannot be read is written if `skip_bad`, that of a file of
    another kind if `pass_over`, and is among the diagnostics; otherwise it is an error.
    """
    before = size_and_mtime(path) if os.path.isfile(path) else {}
    try:
        return index_exposure(path, output)
    except InputError as error:
        kind = error.kind if isinstance(error, OtherKindError) else ""
        if not (pass_over if kind else skip_bad):
            raise
        about = {"exposure": exposure_name(path), "path": path, "failure": error, **before}
        write_index(output, about | ({"other_kind": kind} if kind else {}), {}, [])
        if kind:
            return [Diagnostic("note", f"passed over: {error}")]
        return [Diagnostic("warning", f"skipped: {error}")]
