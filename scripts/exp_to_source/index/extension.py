"""The ASDF extension of a file: a YAML document and the binary blocks that follow it.

ASDF standard 1.6, "Low-level file layout".
"""

import os
import re
import struct
from typing import NamedTuple

from ..errors import InputError
from ..formats.rows import checksum
from ..formats.standards import UNSTATED
from .fitsfile import HDU, read_pieces

MAGIC = b"\xd3BLK"
INDEX = b"#ASDF BLOCK INDEX"
STREAMED = 1
_HEADER = struct.Struct(">I4sQQQ")
#: Compressions of asdf; the first is none.
_COMPRESSIONS = (bytes(4), b"zlib", b"bzp2", b"lz4\0")
_MIN_HEADER = 48
_PREAMBLE = re.compile(
    "#ASDF [0-9.]+\r?\n(?:#ASDF_STANDARD ([0-9]{1,4}(?:[.][0-9]{1,4}){0,3})\r?\n)?"
)
#: End of the document, which may be padded to leave room for growth.
_END = re.compile(rb"(\n\.\.\.\r?\n)[\0 \n]*")


class Block(NamedTuple):
    """An internal block; start (in the file) and size, in bytes, include its header."""

    start: int
    size: int
    digest: str  #: of all of it
    data_size: int | None  #: bytes of its array; None if it is compressed


class Extension(NamedTuple):
    """An ASDF extension."""

    text: str  #: the YAML document, with the comment lines before it
    start: int  #: offset of the document in the file, in bytes
    blocks: list[Block]
    preamble: str  #: comment lines with the versions of ASDF of the document
    standard: str  #: version of the ASDF standard of the document


def read_extension(file: int, path: str, hdus: list[HDU]) -> Extension:
    """Read the ASDF extension of an exposure, given all HDUs of the file."""
    extensions = [hdu for hdu in hdus if hdu.name == "ASDF"]
    if not extensions:
        excess = os.fstat(file).st_size - hdus[-1].end
        where = f", but bytes without a header from byte {hdus[-1].end} on" if excess > 0 else ""
        raise InputError(
            f"{path}: has no ASDF extension{where}: it is needed for names and WCS of the slits; "
            "get the file again"
        )
    start = extensions[0].data_start
    data, *copies = (
        b"".join(read_pieces(file, path, hdu.data_start, hdu.data_size, hdu.data_size))
        for hdu in extensions
    )
    if any(copy != data for copy in copies):
        raise InputError(
            f"{path}: has {len(extensions)} ASDF extensions with different content; remove all "
            "but one"
        )
    end = _END.search(data)
    try:
        text = data[: end.end(1)].decode() if end else ""
    except UnicodeDecodeError:
        raise _damaged(path, "its text is not UTF-8") from None
    preamble = _PREAMBLE.match(text)
    if not end or not preamble or text.startswith("#ASDF ", text.index("\n") + 1):
        raise _damaged(path, "it is not an ASDF document")
    blocks = _read_blocks(path, data, end.end(), start)
    return Extension(text, start, blocks, preamble[0], preamble[1] or UNSTATED)


def _read_blocks(path: str, data: bytes, position: int, start: int) -> list[Block]:
    """Read the blocks after the document; an index of blocks may follow them."""
    blocks: list[Block] = []
    while data[position : position + 4] == MAGIC:
        if len(data) < position + 6 + _HEADER.size:
            raise _damaged(path, f"block {len(blocks)} ends too early")
        header_size = 6 + int.from_bytes(data[position + 4 : position + 6])
        flags, compression, allocated, used, length = _HEADER.unpack_from(data, position + 6)
        is_valid = compression in _COMPRESSIONS and (any(compression) or used == length)
        if header_size < 6 + _MIN_HEADER or used > allocated or not is_valid:
            raise _damaged(path, f"block {len(blocks)} has a damaged header")
        if flags & STREAMED:
            raise _damaged(path, f"block {len(blocks)} is a stream")
        size = header_size + allocated
        if position + size > len(data):
            raise _damaged(path, f"block {len(blocks)} ends too early")
        # Hashed here, while they are in memory: slits share blocks, which must be read only once.
        digest = checksum(data[position : position + size])
        blocks.append(Block(start + position, size, digest, None if any(compression) else used))
        position += size
    if data[position:].strip(b"\0") and not data.startswith(INDEX, position):
        raise _damaged(path, f"no block where block {len(blocks)} must begin")
    return blocks


def _damaged(path: str, what: str) -> InputError:
    return InputError(f"{path}: damaged ASDF extension: {what}; get the file again")
