"""One exposure: a file that can be regrouped, its tree, and the HDUs of each slit."""

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import InputError, OtherKindError
from ..formats.cards import is_card_text
from ..modes import EXPOSURE_TYPES
from ..naming import is_newer
from .datatypes import describe_mismatch, find_cast, header_datatype, product_datatype
from .extension import Extension
from .fitsfile import HDU, read_pieces
from .keywords import accepts, table
from .nodes import Array, at, value_at
from .normalise import NormalisedTree, normalise
from .reader import UnusualLayoutError
from .tree import Tree, parse

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
    #: The tree as it was rewritten; None if the text in the file is used.
    normalised: NormalisedTree | None

    @property
    def is_newer(self) -> bool:
        """Whether its pipeline is newer than the table of keywords, which may lack some of its."""
        version = value_at(self.tree.meta, "calibration_software_version")
        return is_newer(str(version), table().pipeline)

    def read(self, start: int, size: int) -> Iterator[bytes]:
        """Read part of the file, piece by piece."""
        return read_pieces(self.file, self.path, start, size)

    def mismatch(self, text: str) -> InputError:
        """Return the error that its headers and tree contradict each other."""
        return InputError(
            f"{self.path}: headers and ASDF tree disagree: {text}; get the file again, or, if it "
            "was edited, write it with stdatamodels"
        )

    def have_same_content(self, *hdus: HDU) -> bool:
        """Check whether two HDUs have the same header and data."""
        one, other = ((hdu.header.raw, hdu.data_size) for hdu in hdus)
        pieces = (self.read(hdu.data_start, hdu.data_size) for hdu in hdus)
        return one == other and all(piece == copy for piece, copy in zip(*pieces, strict=True))


def check_model_type(path: str, primary: HDU) -> None:
    """Check that a file is an exposure of many slits; without DATAMODL, its tree decides."""
    model, exposure_type = primary.header.get("DATAMODL"), primary.header.get("EXP_TYPE")
    # An invalid type is ignored, and the tree's is used: `records` checks that one.
    keyword = next(keyword for keyword in table().product if keyword.name == "EXP_TYPE")
    is_other = accepts(keyword, exposure_type) and exposure_type not in EXPOSURE_TYPES
    if model not in ("MultiSlitModel", None) or is_other:
        raise other_kind_error(path, f"{model} ({exposure_type})" if exposure_type else str(model))


def other_kind_error(path: str, kind: str) -> OtherKindError:
    """Return the error that a file is not an exposure of many slits."""
    return OtherKindError(
        f"{path}: holds {kind}; only MultiSlitModels (*_cal.fits, *_mbsub.fits of stage 2) of "
        f"{', '.join(EXPOSURE_TYPES)} can be regrouped; leave it out",
        kind,
    )


def read_tree(
    path: str, hdus: list[HDU], extension: Extension, is_whole: bool
) -> tuple[Tree, NormalisedTree | None]:
    """Read the ASDF tree, and rewrite its text if necessary.

    It is rewritten if its layout is not asdf's, if images are cast, or if headers were edited after
    the tree was written: `_fits_hash` then differs, and the headers' values are used. Rejected
    values are removed from the headers.
    """
    if compressed := next((hdu for hdu in hdus if hdu.header.get("ZIMAGE")), None):
        raise InputError(f"{path}: {compressed} is compressed; unpack the file with funpack")
    digest = headers_digest(path, hdus, is_whole)
    block_sizes = [block.data_size for block in extension.blocks]
    try:
        tree = parse(extension.text, path, block_sizes)
        if value_at(tree.root, "_fits_hash") == digest and not any(map(find_cast, hdus)):
            return tree, None
    except UnusualLayoutError:
        pass
    try:
        normalised = normalise(extension.text, path, hdus, digest)
        headers = {(hdu.name, hdu.version): hdu.header for hdu in reversed(hdus)}
        for rejected in normalised.rejected:
            headers[rejected.hdu].numbers.pop(rejected.keyword.name, None)
        return parse(normalised.text, path, block_sizes), normalised
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
    # astropy leaves all cards of such headers as they are.
    standard = all(
        not hdu.header.invalid and is_card_text(hdu.header.raw.decode("latin-1")) for hdu in hdus
    )
    if is_whole and extends and named and standard:
        raw = b"".join(hdu.header.raw for hdu in hdus if hdu.name != "ASDF")
        return hashlib.sha256(raw).hexdigest()
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


def match_hdus_to_slits(exposure: Exposure) -> tuple[list[list[HDU]], set[str]]:
    """Match HDUs to the slits whose trees name them, and collect the names of the others.

    HDUs of a slit are in the order of the schema, in which stdatamodels writes them; those without
    data are last.
    """
    free: dict[tuple[str, int], list[HDU]] = {}
    for hdu in exposure.hdus[1:]:
        if hdu.name != "ASDF":
            free.setdefault((hdu.name, hdu.version), []).append(hdu)
    images = table().images
    order = {name: number for number, name in enumerate(images)}
    matched = []
    for number, slit in enumerate(exposure.tree.slits, 1):
        hdus = []
        for array in slit.arrays:
            candidates = free.pop((array.name, array.version), [])
            if not candidates or array.version != number:
                raise exposure.mismatch(
                    f"slit {number} names {array.name},{array.version}, which is missing "
                    "or another slit's"
                )
            hdu, *copies = candidates
            if not all(exposure.have_same_content(hdu, copy) for copy in copies):
                raise exposure.mismatch(f"{hdu} occurs twice, with different content")
            if array.name in images and images[array.name].key != array.key:
                raise exposure.mismatch(
                    f"slit {number} has {hdu} as {array.key:.40}, not as {images[array.name].key}"
                )
            check_image(exposure, hdu, array)
            hdus.append(hdu)
        if len({hdu.name for hdu in hdus}) < max(len(hdus), 1):
            raise exposure.mismatch(f"slit {number} has no images, or two of one name")
        hdus.sort(key=lambda hdu: (order.get(hdu.name, len(order)), hdu.start))
        unused = [free[name, number][0] for name in images if (name, number) in free]
        for hdu in unused:
            key = images[hdu.name].key
            if hdu.shape and at(slit.node, key):
                what = f"slit {number} has {key}, but not as the array in {hdu}"
                raise exposure.mismatch(what)
        # stdatamodels writes an HDU without data for metadata of an image that a slit lacks.
        empty = [free.pop((hdu.name, number))[0] for hdu in unused if not hdu.shape]
        matched.append(hdus + sorted(empty, key=lambda hdu: hdu.start))
    return matched, {name or "(no name)" for name, _ in free}


def check_image(exposure: Exposure, hdu: HDU, array: Array) -> None:
    """Check that an HDU is the unscaled image that the tree describes."""
    if hdu.header.get("XTENSION") != "IMAGE":
        raise exposure.mismatch(f"{hdu} is not an image")
    if header_datatype(hdu.header) is None:
        raise InputError(
            f"{exposure.path}: {hdu} has scaled numbers (BITPIX, BSCALE, BZERO, BLANK of its "
            f"header); write it as {product_datatype(hdu) or 'unscaled numbers'}, or, if they are "
            "left from other numbers, remove BSCALE and BZERO"
        )
    if mismatch := describe_mismatch(hdu, array):
        raise exposure.mismatch(f"{hdu} {mismatch}")
