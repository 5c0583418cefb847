r"""Rows of fields: what indices and manifests are made of.

A row is a line of fields between tabs. As in the text format of PostgreSQL's COPY, ``\t`` and
``\n`` stand for a tab and a new line in a field, ``\\`` for a backslash; other characters are as
they are. The first field is the name of a row, unless all rows are alike. A checksum shows that
data are not as they were written. The import of `json` would take a quarter of a gather.
"""

from __future__ import annotations

import hashlib

from .. import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import BinaryIO

#: Length of a digest, in hexadecimal digits: 128 bits of a SHA-256.
DIGEST_SIZE = 32

#: Most digits of the size of checked rows, so that a damaged one requests 10 MB at most.
MAX_DIGITS = 7


class NamedRows(dict[str, list[list[str]]]):
    """The other fields of rows, by their names; there may be none of a name."""

    def __missing__(self, name: str) -> list[list[str]]:
        return []

    def one(self, name: str) -> str:
        """Return the field of the only row of a name; empty if there is none."""
        if not self[name]:
            return ""
        ((field,),) = self[name]
        return field


def encode_rows(rows: Iterable[Sequence[str]]) -> bytes:
    """Encode rows."""
    return "".join("\t".join(map(_escape, row)) + "\n" for row in rows).encode()


def encode_column(fields: Iterable[str]) -> bytes:
    """Encode rows of one field each."""
    return encode_rows((field,) for field in fields)


def decode_rows(data: bytes) -> list[list[str]]:
    """Decode rows of `encode_rows`."""
    return [
        # Few lines have a backslash.
        list(map(_unescape, line.split("\t"))) if "\\" in line else line.split("\t")
        for line in data.decode().split("\n")[:-1]
    ]


def decode_column(data: bytes) -> list[str]:
    """Decode rows of `encode_column`."""
    return [field for (field,) in decode_rows(data)]


def decode_named_rows(data: bytes) -> NamedRows:
    """Decode rows whose first fields are their names."""
    rows = NamedRows()
    for name, *fields in decode_rows(data):
        rows.setdefault(name, []).append(fields)
    return rows


def _escape(field: str) -> str:
    return field.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _unescape(field: str) -> str:
    parts = field.split("\\\\")
    return "\\".join(part.replace("\\t", "\t").replace("\\n", "\n") for part in parts)


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
