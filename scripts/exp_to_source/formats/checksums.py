"""Checksums, by which a reader notices that data are not as they were written."""

from __future__ import annotations

import hashlib

from .. import TYPE_CHECKING
from .rows import NamedRows, decode_named_rows, encode_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import BinaryIO

#: Length of a digest, in hexadecimal digits: 128 bits of a SHA-256.
DIGEST_SIZE = 32

#: Most digits of the size of checked rows, so that a damaged one requests 10 MB at most.
MAX_DIGITS = 7


def checksum(data: bytes) -> str:
    """Hash data: SHA-256, shortened."""
    return hashlib.sha256(data).hexdigest()[:DIGEST_SIZE]


def with_checksum(rows: Iterable[Sequence[str]]) -> bytes:
    """Encode rows, less than 10 MB, after a line with their checksum and size."""
    data = encode_rows(rows)
    return _first_line(data) + data


def read_checked(file: BinaryIO) -> NamedRows | None:
    """Read such rows from the start of a file, and no more; None if they are damaged."""
    line = file.readline(len(_first_line(b"")) + MAX_DIGITS)
    size = line.rpartition(b"\t")[2].rstrip(b"\n")
    if not size.isdigit() or len(size) > MAX_DIGITS:
        return None
    data = file.read(int(size))
    return decode_named_rows(data) if line == _first_line(data) else None


def _first_line(data: bytes) -> bytes:
    return encode_rows([("checksum", checksum(data), str(len(data)))])
