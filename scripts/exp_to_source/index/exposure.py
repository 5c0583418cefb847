"""One exposure: a file that can be regrouped, its tree, and the planes of each slit."""

import hashlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import InputError, OtherKindError
from ..modes import EXPOSURE_TYPES
from ..naming import is_newer
from .extension import Extension
from .fitsfile import HDU
from .keywords import accepts, table
from .nodes import at, value_at
from .normalise import Rewriting, normalise
from .planes import find_cast, find_mismatch, header_datatype, product_datatype
from .reader import UnusualLayoutError
from .slit import Array
from .tree import Tree, parse

BUFFER = 1 << 20

#: Errors that astropy raises for invalid headers, besides its own.
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


@dataclass(slots=True)
class Exposure:
    """A file open for indexing, and its content."""

    path: str
    file: int
    hdus: list[HDU]
    extension: Extension
    tree: Tree
    rewriting: Rewriting | None

    @property
    def rewritten(self) -> bool:
        """Whether the text of the tree differs from that of the file."""
        return self.rewriting is not None

    @property
    def edited(self) -> bool:
        """Whether headers were edited after the tree was written, so that their values are used."""
        return self.rewriting is not None and self.rewriting.edited

    @property
    def is_newer(self) -> bool:
        """Whether its pipeline is newer than the table of keywords, which may lack some of its."""
        version = value_at(self.tree.meta, "calibration_software_version")
        return is_newer(str(version), table().pipeline)

    def read(self, start: int, size: int) -> Iterator[bytes]:
        """Read part of the file, piece by piece.

        Raises
        ------
        InputError
            If the file has become shorter.
        """
        while size:
            data = os.pread(self.file, min(size, BUFFER), start)
            if not data:
                raise InputError(f"{self.path}: became shorter while it was read; run again")
            yield data
            start += len(data)
            size -= len(data)

    def have_same_content(self, one: HDU, other: HDU) -> bool:
        """Whether two HDUs have the same header and data."""
        if (one.header.raw, one.data_size) != (other.header.raw, other.data_size):
            return False
        pieces = (self.read(hdu.data_start, hdu.data_size) for hdu in (one, other))
        return all(piece == copy for piece, copy in zip(*pieces, strict=True))


def check_kind(path: str, primary: HDU) -> None:
    """Check that a file is an exposure of many slits; without DATAMODL, its tree decides.

    Raises
    ------
    OtherKindError
        If its header says that it is something else.
    """
    model, kind = primary.header.get("DATAMODL"), primary.header.get("EXP_TYPE")
    # An invalid type is ignored, and the tree's is used: `records` checks that one.
    known = next(word for word in table().product if word.name == "EXP_TYPE")
    is_other = accepts(known, kind) and kind not in EXPOSURE_TYPES
    if model not in ("MultiSlitModel", None) or is_other:
        raise other_kind_error(path, f"{model} ({kind})" if kind else str(model))


def other_kind_error(path: str, what: str) -> OtherKindError:
    """Return the error that a file is not an exposure of many slits."""
    return OtherKindError(
        f"{path}: holds {what}; only MultiSlitModels (*_cal.fits, *_mbsub.fits of stage 2) of "
        f"{', '.join(EXPOSURE_TYPES)} can be regrouped; leave it out",
        what,
    )


def read_tree(
    path: str, hdus: list[HDU], extension: Extension, is_whole: bool
) -> tuple[Tree, Rewriting | None]:
    """Read the ASDF tree, and rewrite its text if necessary.

    It is rewritten if its layout is not asdf's, if planes are cast, or if headers were edited after
    the tree was written: `_fits_hash` then differs, and the headers' values are used. Rejected
    values are removed from the headers.
    """
    if packed := next((hdu for hdu in hdus if hdu.header.get("ZIMAGE")), None):
        name = f"{packed.name},{packed.version}"
        raise InputError(f"{path}: {name} is compressed; unpack the file with funpack")
    digest = headers_digest(path, hdus, is_whole)
    rooms = [block.room for block in extension.blocks]
    try:
        tree = parse(extension.text, path, rooms)
        if value_at(tree.top, "_fits_hash") == digest and not any(map(find_cast, hdus)):
            return tree, None
    except UnusualLayoutError:
        pass
    try:
        rewriting = normalise(extension.text, path, hdus, digest)
        headers = {(hdu.name, hdu.version): hdu.header for hdu in reversed(hdus)}
        for refusal in rewriting.refusals:
            headers[refusal.hdu].forget(refusal.word.name)
        return parse(rewriting.text, path, rooms), rewriting
    except UnusualLayoutError:
        raise InputError(
            f"{path}: its ASDF tree is not built as a MultiSlitModel's; "
            "correct it, or get the file again"
        ) from None


def headers_digest(path: str, hdus: list[HDU], is_whole: bool) -> str:
    """Compute the digest of the headers that stdatamodels compares with ``_fits_hash``.

    astropy corrects headers that do not follow the standard when it reads them, and may find HDUs
    in what follows the last one, which makes the file not `is_whole`. Therefore, it reads such a
    file here, too.
    """
    extends = hdus[0].header.get("EXTEND") is True
    named = all(hdu.name != "ASDF" or hdu.header.get("EXTNAME") == "ASDF" for hdu in hdus)
    if is_whole and extends and named and all(hdu.header.is_standard for hdu in hdus):
        digest = hashlib.sha256()
        for hdu in hdus:
            if hdu.name != "ASDF":
                digest.update(hdu.header.raw)
        return digest.hexdigest()
    # Slow imports, for few files.
    from astropy.io import fits
    from stdatamodels.fits_support import fits_hash

    try:
        with warnings.catch_warnings(action="ignore"), fits.open(path) as opened:
            return str(fits_hash(opened))
    except (fits.VerifyError, *UNREADABLE) as error:
        raise ValueError(
            f"astropy cannot read it ({type(error).__name__}: {error!s:.200})"
        ) from None


def match_planes(exposure: Exposure) -> tuple[list[list[HDU]], set[str]]:
    """Find the HDUs that the tree of each slit names.

    Returns
    -------
    list of list of HDU
        Planes of each slit, in the order of the schema; those without data are last.
    set of str
        Names of HDUs that no slit uses.

    Raises
    ------
    InputError
        If tree and HDUs disagree.
    """
    free: dict[tuple[str, int], list[HDU]] = {}
    for hdu in exposure.hdus[1:]:
        if hdu.name != "ASDF":
            free.setdefault((hdu.name, hdu.version), []).append(hdu)
    # In the order in which stdatamodels writes them.
    known = table().planes
    order = {name: place for place, name in enumerate(known)}
    planes = []
    for number, slit in enumerate(exposure.tree.slits, 1):
        own = []
        for array in slit.arrays:
            found = free.pop((array.name, array.version), [])
            if not found or array.version != number:
                raise mismatch_error(
                    exposure,
                    f"slit {number} names {array.name},{array.version}, which is missing "
                    "or another slit's",
                )
            plane, *copies = found
            if not all(exposure.have_same_content(plane, copy) for copy in copies):
                raise mismatch_error(
                    exposure,
                    f"{array.name},{array.version} occurs twice, with different content",
                )
            if array.name in known and known[array.name].key != array.key:
                raise mismatch_error(
                    exposure,
                    f"slit {number} has {array.name},{array.version} as {array.key:.40}, not as "
                    f"{known[array.name].key}",
                )
            check_plane(exposure, plane, array)
            own.append(plane)
        if len({hdu.name for hdu in own}) < max(len(own), 1):
            raise mismatch_error(exposure, f"slit {number} has no planes, or two of one name")
        own.sort(key=lambda hdu: (order.get(hdu.name, len(order)), hdu.start))
        rest = {name: free[name, number][0] for name in known if (name, number) in free}
        for name, hdu in rest.items():
            if hdu.shape and at(slit.node, known[name].key):
                what = (
                    f"slit {number} has {known[name].key}, but not as the array in {name},{number}"
                )
                raise mismatch_error(exposure, what)
        # stdatamodels writes an HDU without data for metadata of a plane that a slit does not have.
        empty = [free.pop((name, number))[0] for name, hdu in rest.items() if not hdu.shape]
        planes.append(own + sorted(empty, key=lambda hdu: hdu.start))
    return planes, {name or "(no name)" for name, _ in free}


def check_plane(exposure: Exposure, hdu: HDU, array: Array) -> None:
    """Refuse a plane that is not the one that the tree describes, or that cannot be cast.

    Raises
    ------
    InputError
        If it is not an image of unscaled numbers, or differs from the tree.
    """
    name = f"{hdu.name},{hdu.version}"
    if hdu.header.get("XTENSION") != "IMAGE":
        raise mismatch_error(exposure, f"{name} is not an image")
    if header_datatype(hdu.header) is None:
        raise InputError(
            f"{exposure.path}: {name} has scaled numbers (BITPIX, BSCALE, BZERO, BLANK of its "
            f"header); write it as {product_datatype(hdu) or 'unscaled numbers'}, or, if they are "
            "left from other numbers, remove BSCALE and BZERO"
        )
    if mismatch := find_mismatch(hdu, array):
        raise mismatch_error(exposure, f"{name} {mismatch}")


def mismatch_error(exposure: Exposure, what: str) -> InputError:
    """Return the error that headers and tree of an exposure contradict each other."""
    return InputError(
        f"{exposure.path}: headers and ASDF tree disagree: {what}; get the file again, or, if it "
        "was edited, write it with stdatamodels"
    )
