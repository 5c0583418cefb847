"""Read FITS files for verification, with astropy."""

import os
import re
import warnings
from collections.abc import Mapping
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from stdatamodels.fits_support import fits_hash

from ..errors import InputError
from .asdf_reader import Digest, HduReference, compute_digest, first_sentence, read_tree

BLOCK = 2880

#: Keywords that describe the data of an HDU.
STRUCTURE = re.compile(
    "SIMPLE|XTENSION|BITPIX|NAXIS[0-9]*|EXTEND|PCOUNT|GCOUNT|GROUPS|BSCALE|BZERO|BLANK"
)

#: Keywords that are not compared individually; those of an HDU's name are compared as the name.
UNCOMPARED = frozenset(("", "COMMENT", "HISTORY", "EXTNAME", "EXTVER"))

#: Errors that astropy raises for invalid headers, besides its own.
_UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


class Hdu(NamedTuple):
    """HDU: the digest of its data, what describes them, and its other cards.

    The `array` is the datatype and shape as which its data are read; None if there are none.
    """

    name: str
    version: int
    data: Digest
    array: tuple[str, list[int]] | None
    cards: dict[str, str]
    header: fits.Header


class Contents(NamedTuple):
    """A complete file; PRIMARY is the first of its HDUs, which do not include ASDF.

    `hash` is that of its headers, as in ``_fits_hash`` of a tree that was written with them. It is
    `clean` if only zeros follow the ASDF tree, which is in the last HDU.
    """

    hdus: list[Hdu]
    tree: dict[Any, Any]
    hash: str
    clean: bool

    @property
    def headers_edited(self) -> bool:
        """Whether headers changed since the tree was written."""
        return bool(self.tree.get("_fits_hash") != self.hash)

    def number_hdus(self) -> dict[HduReference, int]:
        """Return the position of each HDU, the first of equal ones."""
        numbers = reversed(range(len(self.hdus)))
        return {HduReference(*self.hdus[number][:2]): number for number in numbers}


def read_file(path: str, datatypes: Mapping[str, str]) -> Contents:
    """Read a complete file, each byte of its data once, cast to the `datatypes` by HDU name."""
    if not os.path.isfile(path):
        raise InputError(f"{path}: is missing; bring it back, or rerun its step")
    try:
        with (
            warnings.catch_warnings(action="ignore", category=AstropyWarning),
            # If astropy fails, it does not close a file that it opened itself.
            open(path, "rb") as opened,
            fits.open(opened, memmap=False, lazy_load_hdus=False) as hdus,
            open(path, "rb") as file,
        ):
            last, size = hdus[-1].fileinfo(), os.path.getsize(path)
            end = last["datLoc"] + last["datSpan"]
            # The padding of the last HDU may be missing.
            if last["datLoc"] + hdus[-1].size > size:
                raise InputError(f"{path}: is truncated: {size} of {end} bytes")
            names = [hdu.name.upper() for hdu in hdus]
            if "ASDF" not in names:
                raise InputError(f"{path}: is truncated, or has no ASDF extension")
            number = names.index("ASDF")
            images = [
                _read_hdu(path, file, hdu, datatypes) for n, hdu in enumerate(hdus) if n != number
            ]
            header = hdus[number].header
            file.seek(hdus[number].fileinfo()["datLoc"])
            tree = read_tree(path, file.read(header["NAXIS1"] * header["NAXIS2"]))
            clean = number == len(images) and size == end and not file.read().strip(b"\0")
            return Contents(images, tree, fits_hash(hdus), clean)
    except (*_UNREADABLE, fits.VerifyError) as error:
        raise InputError(f"{path}: cannot be read as FITS ({first_sentence(error)})") from None


def _read_hdu(path: str, file: BinaryIO, hdu: Any, datatypes: Mapping[str, str]) -> Hdu:
    position = hdu.fileinfo()
    file.seek(position["hdrLoc"])
    cards = _read_cards(file.read(position["datLoc"] - position["hdrLoc"]))
    name, header = hdu.name.upper(), hdu.header.copy()
    array = _describe_array(header)
    datatype = datatypes.get(name)
    if array and datatype and array[0] != datatype:
        array = datatype, array[1]
        written = BytesIO()
        fits.ImageHDU(np.asarray(hdu.data).astype(datatype)).writeto(written)
        # After PRIMARY and the header, each of one block.
        data = written.getvalue()[2 * BLOCK :]
    else:
        data = file.read(position["datSpan"])
        if len(data) < position["datSpan"]:
            raise InputError(f"{path}: became shorter while it was read; run again")
    cards = {word: image for word, image in cards.items() if not STRUCTURE.fullmatch(word)}
    return Hdu(name, hdu.ver, compute_digest(data), array, cards, header)


def _describe_array(header: fits.Header) -> tuple[str, list[int]] | None:
    """Return datatype and shape of the array that an image opens as; None if it has none."""
    if header.get("XTENSION", "IMAGE") != "IMAGE" or not header["NAXIS"]:
        return None
    bits = header["BITPIX"]
    kind = "float" if bits < 0 else "uint" if header.get("BZERO") == 1 << (bits - 1) else "int"
    if bits == 8:
        kind = "int" if header.get("BZERO") == -128 else "uint"
    shape = [header[f"NAXIS{axis}"] for axis in range(header["NAXIS"], 0, -1)]
    return f"{kind}{abs(bits)}", shape


def _read_cards(header: bytes) -> dict[str, str]:
    """Read the card images of a header by keyword, with continued cards joined.

    The first card of a keyword is used, as in astropy.
    """
    text = header.decode("latin-1")
    cards: dict[str, str] = {}
    continued: str | None = None
    for start in range(0, len(text), 80):
        image = text[start : start + 80]
        word = image[:8].rstrip(" ")
        if word == "END":
            return cards
        if word == "CONTINUE":
            if continued:
                cards[continued] += image
            continue
        continued = None if word in cards or word in UNCOMPARED else word
        if continued:
            cards[word] = image
    raise ValueError("a header without END")
