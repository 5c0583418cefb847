"""Data types of planes: header, tree and schema must agree.

stdatamodels reads planes by their headers alone, and saves only the schema's types: a product with
another type, such as double precision, could be opened but not saved again.
"""

from ..formats.cards import Value
from .fitsfile import HDU, Header
from .slit import Array

#: Types by BITPIX and BZERO, as astropy reads them.
DATATYPES: dict[tuple[Value, Value], str] = {
    (8, 0): "uint8",
    (8, -128): "int8",
    (16, 0): "int16",
    (16, 1 << 15): "uint16",
    (32, 0): "int32",
    (32, 1 << 31): "uint32",
    (64, 0): "int64",
    (64, 1 << 63): "uint64",
    (-32, 0): "float32",
    (-64, 0): "float64",
}

#: Keys in the tree of an array in an HDU, which has neither a mask nor strides.
KEYS = {"source", "datatype", "byteorder", "shape"}


def datatype(header: Header) -> str | None:
    """Find the data type in a header; None if the data are scaled or have BLANK."""
    bits, zero, scale = header.get("BITPIX"), header.get("BZERO", 0), header.get("BSCALE", 1)
    if scale != 1 or "BLANK" in header:
        return None
    return DATATYPES.get((bits, zero))


def contradiction(hdu: HDU, found: str, array: Array, edited: bool) -> str | None:
    """Say how header and tree differ about a plane, or None.

    Headers that were `edited` after the tree was written may have another type.
    """
    if array.keys != KEYS:
        odd = ", ".join(sorted(array.keys ^ KEYS))
        return f"has another description in the tree than a plane's ({odd:.80})"
    if array.byteorder != "big":
        return f"has byteorder {array.byteorder:.40} in the tree"
    if array.shape != hdu.shape:
        return f"has shape {hdu.shape} in its header and {array.shape!s:.80} in the tree"
    if array.datatype != found and not (edited and array.place):
        return f"is {found} in its header and {array.datatype:.40} in the tree"
    return None
