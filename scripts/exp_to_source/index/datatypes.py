"""Datatypes of image extensions: those of headers, tree and schema.

stdatamodels reads images by their headers alone, and casts them to the datatypes of the schema.
"""

from ..formats.cards import Value
from ..formats.casting import Cast
from .fitsfile import HDU, Header
from .keywords import table
from .nodes import Array

#: BITPIX and BZERO by datatype, as astropy reads and writes them.
STORED: dict[str, tuple[int, int]] = {
    "uint8": (8, 0),
    "int8": (8, -128),
    "int16": (16, 0),
    "uint16": (16, 1 << 15),
    "int32": (32, 0),
    "uint32": (32, 1 << 31),
    "int64": (64, 0),
    "uint64": (64, 1 << 63),
    "float32": (-32, 0),
    "float64": (-64, 0),
}

_DATATYPES: dict[tuple[Value, Value], str] = {stored: name for name, stored in STORED.items()}

#: Keys in the tree of an array in an HDU, and those that it must not have.
KEYS = {"source", "datatype", "byteorder", "shape"}
OTHER_KEYS = {"data", "mask", "offset", "strides"}


def header_datatype(header: Header) -> str | None:
    """Return the datatype that a header describes; None if the numbers are scaled.

    BLANK, which has no meaning for floating point (FITS 4.0, section 4.4.2.3), is then ignored.
    """
    bits, zero, scale = header.get("BITPIX"), header.get("BZERO", 0), header.get("BSCALE", 1)
    is_float = isinstance(bits, int) and bits < 0
    if scale != 1 or ("BLANK" in header and not is_float):
        return None
    return _DATATYPES.get((bits, zero))


def product_datatype(hdu: HDU) -> str | None:
    """Return the datatype of an image in products: the schema's, or its own if it has no schema."""
    image = table().images.get(hdu.name)
    return image.datatype if image else header_datatype(hdu.header)


def find_cast(hdu: HDU) -> Cast | None:
    """Determine how an image is cast for products; None if it is copied as it is."""
    datatype, new = header_datatype(hdu.header), product_datatype(hdu)
    is_image = hdu.shape and hdu.header.get("XTENSION") == "IMAGE"
    if not is_image or datatype is None or new is None or datatype == new:
        return None
    return *STORED[datatype], *STORED[new]


def describe_mismatch(hdu: HDU, array: Array) -> str | None:
    """Describe how header and tree differ about an image, or return None."""
    keys = array.content.keys()
    if odd_keys := (KEYS - keys) | (OTHER_KEYS & keys):
        odd = ", ".join(sorted(odd_keys))
        return f"has another description in the tree than an image's ({odd:.80})"
    if (byteorder := array.text("byteorder")) != "big":
        return f"has byteorder {byteorder:.40} in the tree"
    if array.shape != hdu.shape:
        return f"has shape {hdu.shape} in its header and {array.shape!s:.80} in the tree"
    if (datatype := array.text("datatype")) != product_datatype(hdu):
        return f"is {header_datatype(hdu.header)} in its header and {datatype:.40} in the tree"
    return None
