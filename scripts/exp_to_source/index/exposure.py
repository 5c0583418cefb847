"""One exposure: a file that can be regrouped, its tree, and the planes of each slit."""

import hashlib
import re
from dataclasses import dataclass
from math import isinf

from ..errors import InputError, OtherKindError
from ..formats.cards import CARD, format_card, padded
from ..modes import EXPOSURE_TYPES
from .extension import Extension
from .fitsfile import HDU, Header
from .keywords import accepts, table
from .nodes import value_at
from .normalise import Rewriting, normalise
from .planes import contradiction, datatype
from .reader import UnusualLayoutError
from .slit import Array
from .tree import Tree, parse

#: Numbers that may be too large. Astropy rewrites such a card, so that `_fits_hash` is wrong.
_HUGE = re.compile(rb"= *([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[Ee][+]?[0-9]{3,})")

#: Characters of such a number; searches for letters are four times as fast.
_EXPONENTS = re.compile(rb"E\+?[0-9]{3}"), re.compile(rb"e\+?[0-9]{3}")


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


def check_kind(path: str, primary: HDU) -> None:
    """Check that a file is an exposure of many slits.

    Raises
    ------
    OtherKindError
        If its header says that it is something else.
    InputError
        If its header does not say what it is.
    """
    model, kind = primary.header.get("DATAMODL"), primary.header.get("EXP_TYPE")
    if not model:
        raise InputError(
            f"{path}: has no DATAMODL; only exposure-based cal products (*_cal.fits, *_mbsub.fits "
            "of stage 2) can be regrouped"
        )
    # An invalid type is ignored, and the tree's is used: `records` checks that one.
    known = next(word for word in table().product if word.name == "EXP_TYPE")
    is_other = accepts(known, kind) and kind not in EXPOSURE_TYPES
    if model != "MultiSlitModel" or is_other:
        what = f"{model} ({kind})" if kind else str(model)
        raise OtherKindError(
            f"{path}: holds {what}; only MultiSlitModels (*_cal.fits, *_mbsub.fits of stage 2) of "
            f"{', '.join(EXPOSURE_TYPES)} can be regrouped; leave it out",
            what,
        )
    if primary.shape:
        raise InputError(
            f"{path}: PRIMARY holds data, which is not so in a MultiSlitModel; "
            "make the file again with the pipeline"
        )


def read_tree(path: str, hdus: list[HDU], extension: Extension) -> tuple[Tree, Rewriting | None]:
    """Read the ASDF tree, and rewrite its text if necessary.

    It is rewritten if its layout is not asdf's, or if headers were edited after the tree was
    written: `_fits_hash` then differs, and the headers' values are used. Refused values are removed
    from the headers.
    """
    digest = hashlib.sha256()
    for hdu in hdus:
        if any(exponent.search(hdu.header.raw) for exponent in _EXPONENTS):
            refuse_infinite(path, hdu)
        # As in stdatamodels, which finds the extension in any case, but here distinguishes case.
        if hdu.name != "ASDF" or hdu.header.get("EXTNAME") != "ASDF":
            digest.update(with_extend(hdu.header) if hdu is hdus[0] else hdu.header.raw)
    rooms = [block.room for block in extension.blocks]
    try:
        tree = parse(extension.text, path, rooms)
        if value_at(tree.top, "_fits_hash") == digest.hexdigest():
            return tree, None
    except UnusualLayoutError:
        pass
    try:
        rewriting = normalise(extension.text, path, hdus, digest.hexdigest())
        headers = {(hdu.name, hdu.version): hdu.header for hdu in reversed(hdus)}
        for refusal in rewriting.refusals:
            headers[refusal.hdu].forget(refusal.word.name)
        return parse(rewriting.text, path, rooms), rewriting
    except UnusualLayoutError:
        raise InputError(
            f"{path}: its ASDF tree is not built as a MultiSlitModel's; "
            "make the file again with the pipeline"
        ) from None


def with_extend(header: Header) -> bytes:
    """Blocks of the PRIMARY header as readers have it: astropy sets EXTEND if it is not true."""
    if header.get("EXTEND"):
        return header.raw
    if "EXTEND" in header:
        first, count = header.numbers["EXTEND"]
        _, _, comment = header.image("EXTEND").decode("latin-1").partition("/")
    else:
        first, count, comment = header.numbers["NAXIS"][0] + 1, 0, ""
    start, end = CARD * first, CARD * (first + count)
    card = format_card("EXTEND", True, comment.strip())
    cards = header.raw[:start] + card + header.raw[end:].rstrip(b" ")
    return cards.ljust(padded(len(cards)))


def refuse_infinite(path: str, hdu: HDU) -> None:
    """Refuse a header with a number that is too large for any reader."""
    found = _HUGE.finditer(hdu.header.raw)
    numbers = (match[1].decode() for match in found if match.start() % CARD == 8)
    if huge := [number for number in numbers if isinf(float(number))]:
        raise InputError(
            f"{path}: {hdu.name},{hdu.version} has the number {huge[0]}, which is too large; "
            "correct the card, or fetch the file again"
        )


def claim_planes(exposure: Exposure) -> tuple[list[list[HDU]], set[str]]:
    """Find the HDUs that the tree of each slit names.

    Returns
    -------
    list of list of HDU
        Planes of each slit, in the order of the schema.
    set of str
        Names of HDUs that no slit names and no schema defines.

    Raises
    ------
    InputError
        If tree and HDUs disagree.
    """
    free: dict[tuple[str, int], HDU] = {}
    for hdu in exposure.hdus[1:]:
        if hdu.name != "ASDF" and free.setdefault((hdu.name, hdu.version), hdu) is not hdu:
            raise disagree(exposure, f"{hdu.name},{hdu.version} occurs twice")
    # In the order in which stdatamodels writes them.
    known = table().planes
    order = {name: place for place, name in enumerate(known)}
    planes = []
    for number, slit in enumerate(exposure.tree.slits, 1):
        own = []
        for array in slit.arrays:
            plane = free.pop((array.name, array.version), None)
            if plane is None or plane.version != number:
                raise disagree(
                    exposure,
                    f"slit {number} names {array.name},{array.version}, which is missing "
                    "or another slit's",
                )
            if plane.header.get("XTENSION") != "IMAGE":
                raise disagree(exposure, f"{array.name},{array.version} is no image")
            if array.name in known and known[array.name].key != array.key:
                raise disagree(
                    exposure,
                    f"slit {number} has {array.name},{array.version} as {array.key:.40}, not as "
                    f"{known[array.name].key}",
                )
            slit.retype(array, check_plane(exposure, plane, array))
            own.append(plane)
        if len({hdu.name for hdu in own}) < max(len(own), 1):
            raise disagree(exposure, f"slit {number} has no planes, or two of one name")
        planes.append(sorted(own, key=lambda hdu: (order.get(hdu.name, len(order)), hdu.start)))
    for name, version in free:
        if name in known:
            raise disagree(exposure, f"{name},{version} belongs to no slit")
    return planes, {name or "(no name)" for name, _ in free}


def check_plane(exposure: Exposure, hdu: HDU, array: Array) -> str:
    """Find the data type of a plane.

    Raises
    ------
    InputError
        If it is not the schema's, or differs from the tree's.
    """
    name, found = f"{hdu.name},{hdu.version}", datatype(hdu.header)
    plane = table().planes.get(hdu.name)
    if found is None or (plane and plane.datatype != found):
        what = f"is {found}" if found else "has scaled numbers (BITPIX, BSCALE, BZERO, BLANK)"
        wanted = plane.datatype if plane else "unscaled numbers"
        raise InputError(
            f"{exposure.path}: {name} {what}; write it as {wanted}, or make the file again with "
            "the pipeline"
        )
    if said := contradiction(hdu, found, array, exposure.edited):
        raise disagree(exposure, f"{name} {said}")
    return found


def disagree(exposure: Exposure, what: str) -> InputError:
    """Return the error that headers and tree of an exposure contradict each other."""
    return InputError(
        f"{exposure.path}: headers and ASDF tree disagree: {what}; "
        "make the file again with the pipeline"
    )
