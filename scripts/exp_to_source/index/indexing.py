"""Making the index of an exposure in one pass over its bytes."""

import os

from ..diagnostics import Diagnostic
from ..errors import InputError, OtherKindError
from ..files import size_and_mtime
from ..formats.cards import BLOCK
from ..formats.index_writer import write_failure, write_index
from ..formats.rows import encode_column, encode_rows
from ..naming import exposure_name
from .exposure import Exposure, check_kind, match_planes, other_kind_error, read_tree
from .extension import read_extension
from .fitsfile import HDU, scan
from .headers import SILENT, left_out
from .keywords import table
from .misfits import find_contradictions, find_misfits
from .nodes import at, value_at
from .planes import find_cast
from .records import encode_common, encode_top, identity, slit_records
from .remarks import kept, on_misfits, on_refusals, on_tags


def index_exposure(path: str, output: str) -> list[Diagnostic]:
    """Write the index of an exposure.

    It reads every byte of the file once, and keeps no more than the ASDF extension in memory.

    Parameters
    ----------
    path : str
        A MultiSlitModel saved as FITS.
    output : str
        The index to write.

    Returns
    -------
    list of Diagnostic
        What products will lack, and what was done otherwise.

    Raises
    ------
    InputError
        If it is not a valid exposure-based product that can be regrouped; an `OtherKindError` if
        its header says so.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such file; correct the list of exposures or bring it back")
    name = exposure_name(path)
    file = os.open(path, os.O_RDONLY)
    try:
        before = size_and_mtime(file)
        others = scan(file, path)
        primary = next(others)
        # Before others are read: a file of another kind may have any.
        check_kind(path, primary)
        hdus = [primary, *others]
        is_stated = "DATAMODL" in primary.header
        if not is_stated and all(hdu.name != "ASDF" for hdu in hdus):
            raise other_kind_error(path, "no data model")
        extension = read_extension(file, path, hdus)
        if not is_stated and "\nslits:" not in extension.text:
            raise other_kind_error(path, "no slits")
        is_whole = not os.pread(file, BLOCK, hdus[-1].end).strip(b"\0 ")
        exposure = Exposure(
            path, file, hdus, extension, *read_tree(path, hdus, extension, is_whole)
        )
        planes, unused = match_planes(exposure)
        common, top = encode_common(exposure), encode_top(exposure)
        slits = list(slit_records(exposure, planes, common, top))
        about = {"exposure": name, "path": path} | before | identity(exposure.tree)
        about |= {"standard": extension.standard}
        said = remarks(exposure, planes, unused, is_whole)
        parts = {
            "common": common,
            "top": top,
            "tags": encode_column(sorted(exposure.tree.tags)),
            "remarks": encode_rows(kept(said)),
            "text": exposure.tree.text.encode() if exposure.rewritten else b"",
        }
        if size_and_mtime(path) != before:
            raise InputError(f"{path}: changed while it was read; run again")
        write_index(output, about, parts, slits)
        return said
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

    Parameters
    ----------
    path, output : str
        As for `index_exposure`.
    skip_bad : bool
        Whether to write the reason of an exposure that cannot be read.
    pass_over : bool
        Whether to write that of a file of another kind.

    Returns
    -------
    list of Diagnostic
        The remarks, which include the reason.

    Raises
    ------
    InputError
        If the reason is not to be written.
    """
    before = size_and_mtime(path) if os.path.isfile(path) else {}
    try:
        return index_exposure(path, output)
    except OtherKindError as error:
        if not pass_over:
            raise
        write_failure(output, exposure_name(path), path, str(error), before, error.kind)
        return [Diagnostic("note", f"passed over: {error}")]
    except InputError as error:
        if not skip_bad:
            raise
        write_failure(output, exposure_name(path), path, str(error), before)
        return [Diagnostic("warning", f"skipped: {error}")]


def remarks(
    exposure: Exposure, planes: list[list[HDU]], unused: set[str], is_whole: bool
) -> list[Diagnostic]:
    """Say what products will lack, and what was done otherwise, the most serious first."""
    warned = [
        *on_tags(exposure.tree.tags),
        *on_refusals(exposure.rewriting.refusals if exposure.rewriting else []),
        *on_misfits(find_misfits(exposure)),
        *find_contradictions(exposure),
    ]
    said = []
    if exposure.edited:
        said.append(
            "headers were edited after the ASDF tree was written (or it is an old file): the "
            "headers' values are used"
        )
    elif exposure.rewriting:
        said.append("its ASDF tree is not laid out as asdf does; it was laid out anew")
    if without := sum(at(slit.node, "meta.wcs") is None for slit in exposure.tree.slits):
        said.append(f"{without} of its {len(exposure.tree.slits)} slits have no WCS")
    if exposure.rewriting and exposure.rewriting.dropped:
        names = ", ".join(exposure.rewriting.dropped)
        said.append(f"keys of its ASDF tree without a value are left out: {names}")
    if value_at(exposure.tree.meta, "exposure.type") is None:
        said.append("it has no EXP_TYPE: instrument and slits decide how products are named")
    known = {word.name for word in (*table().product, *table().entry)}
    used = [exposure.hdus[0], *(hdu for slit in planes for hdu in slit)]
    words = set().union(*(left_out(hdu.header, known) for hdu in used))
    if words and exposure.is_newer:
        said.append(
            f"keywords that the schema of jwst {table().pipeline} does not know are kept, as its "
            f"pipeline is newer: {', '.join(sorted(words))}"
        )
    elif words:
        said.append(f"keywords that no schema knows are left out: {', '.join(sorted(words))}")
    twice = set().union(*(hdu.header.repeated for hdu in exposure.hdus)) - SILENT
    if twice:
        said.append(f"of repeated keywords the first counts: "
                    f"{', '.join(sorted(twice))}")  # fmt: skip
    if invalid := {word for hdu in exposure.hdus for word in hdu.header.invalid}:
        said.append(f"cards that do not follow FITS are left out: {', '.join(sorted(invalid))}")
    if unused:
        said.append(f"HDUs that no slit uses are left out: {', '.join(sorted(unused))}")
    if cast := sorted({hdu.name for hdu in used if find_cast(hdu)}):
        said.append(f"{', '.join(cast)}: cast to the datatype of the schema, as by jwst")
    if exposure.hdus[0].shape:
        said.append("the image in PRIMARY is left out")
    if not is_whole:
        said.append("bytes after the last HDU are left out")
    return [
        *(Diagnostic("warning", text) for text in warned),
        *(Diagnostic("note", text) for text in said),
    ]
