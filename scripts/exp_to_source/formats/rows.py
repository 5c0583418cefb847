r"""Rows of fields: the text of indices and manifests.

A row is a line of fields between tabs, as in the text format of PostgreSQL's COPY: ``\t``, ``\n``
and ``\\`` stand for a tab, a new line and a backslash in a field. The first field is the name of a
row, unless all rows of a text are alike. Rows are read without any import; that of `json` would
take a quarter of a gather.
"""

from __future__ import annotations

from .. import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The other fields of rows, by their names.
NamedRows = dict[str, list[list[str]]]


def rows_text(rows: Iterable[Sequence[str]]) -> bytes:
    """Text of rows."""
    return "".join("\t".join(map(_escaped, row)) + "\n" for row in rows).encode()


def read_rows(text: bytes) -> list[list[str]]:
    """Rows of a text that `rows_text` made."""
    return [
        # Few lines have a backslash.
        list(map(_unescaped, line.split("\t"))) if "\\" in line else line.split("\t")
        for line in text.decode().split("\n")[:-1]
    ]


def read_named_rows(text: bytes) -> NamedRows:
    """Rows of a text that `rows_text` made, by their names."""
    rows: NamedRows = {}
    for name, *fields in read_rows(text):
        rows.setdefault(name, []).append(fields)
    return rows


def only(rows: NamedRows, name: str) -> str:
    """Field of the only row of a name; empty if there is no such row."""
    return next((text for (text,) in rows.get(name, ())), "")


def _escaped(field: str) -> str:
    return field.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _unescaped(field: str) -> str:
    parts = field.split("\\\\")
    return "\\".join(part.replace("\\t", "\t").replace("\\n", "\n") for part in parts)
