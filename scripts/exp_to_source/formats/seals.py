"""Digests by which a reader checks that data are as they were written."""

from __future__ import annotations

import hashlib

from .. import TYPE_CHECKING
from .rows import NamedRows, read_named_rows, rows_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import BinaryIO

#: Length of a digest, in hexadecimal digits: 128 bits of a SHA-256.
DIGEST_SIZE = 32

#: Where the size is in a line with a seal, and its most digits, so that a damaged one asks for
#: 10 MB at most.
SIZE = len("seal\t\t") + DIGEST_SIZE
MAX_DIGITS = 7


def seal(data: bytes) -> str:
    """Digest by which a reader checks that data are as they were written."""
    return hashlib.sha256(data).hexdigest()[:DIGEST_SIZE]


def sealed(rows: Iterable[Sequence[str]]) -> bytes:
    """Text of rows, after a line with its seal and its size."""
    text = rows_text(rows)
    return _seal_line(text) + text


def read_sealed(file: BinaryIO) -> NamedRows | None:
    """Read sealed rows from the start of a file, and no more; None if they are damaged."""
    line = file.readline(SIZE + MAX_DIGITS + 1)
    try:
        text = file.read(int(line[SIZE : SIZE + MAX_DIGITS]))
    except ValueError:
        return None
    return read_named_rows(text) if line == _seal_line(text) else None


def _seal_line(text: bytes) -> bytes:
    return rows_text([("seal", seal(text), str(len(text)))])
