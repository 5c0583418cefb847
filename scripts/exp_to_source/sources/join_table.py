"""The table of joins: slits that the user wants in one product, or under another id or name.

A row matches the slits that agree with all its values in the first four columns. The file is
tab-separated (or with commas, as ``.csv``) with a header line, or a YAML list of mappings;
docs/how-to/join.md explains its columns.
"""

import csv
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..errors import InputError
from ..naming import fill_template, is_product_name, source_type
from .choosing import matches

COLUMNS = ("exposure", "slit_name", "source_id", "source_name", "target", "product")

#: Columns that are for people: those that joins by place have, too.
NOTES = ("joined", "separation")

# Spreadsheets may write whole numbers with a decimal point.
_ID = re.compile(r"([sbv]?)(-?[0-9]+)(?:\.0*)?", re.ASCII | re.IGNORECASE)


class SlitKey(NamedTuple):
    """Properties of a slit that a row uses: the names and SOURCEID of a slit of an exposure."""

    exposure: str
    slit_name: str
    source_id: int
    source_name: str


class Row(NamedTuple):
    """A row of the table, with file and line; empty values are ignored.

    Several names of exposures, or globs of them, are separated by commas.
    """

    location: str
    exposure: str
    slit_name: str
    source_id: str
    source_name: str
    target: str
    product: str

    def matches(self, slit: SlitKey) -> bool:
        """Whether it matches a slit of one of its exposures.

        An id without a class is not that of a background slitlet.
        """
        pairs = ((slit.slit_name, self.slit_name), (slit.source_name, self.source_name))
        if not all(_matches(name, pattern) for name, pattern in pairs):
            return False
        if not self.source_id:
            return True
        slit_class = source_type(slit.source_id, slit.source_name)
        class_, number = parse_id(self.source_id) or ("", None)
        return slit.source_id == number and (slit_class == class_ if class_ else slit_class != "b")

    @property
    def exposures(self) -> list[str]:
        """Names of its exposures, or globs."""
        return self.exposure.lower().split(",")

    @property
    def source(self) -> tuple[str, int] | None:
        """Class and id of the target; None if it is a name."""
        parsed = parse_id(self.target)
        return (parsed[0] or source_type(parsed[1], ""), parsed[1]) if parsed else None

    @property
    def key(self) -> tuple[Any, str]:
        """Key that is equal for rows whose slits are combined in one product."""
        return self.source or self.target.lower(), self.product


class Joins:
    """The rows of a table, in their order."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows = list(rows)
        self._by_name: dict[str, list[Row]] = {}
        for row in self.rows:
            for name in row.exposures:
                self._by_name.setdefault(name, []).append(row)
        # Most names are no globs, as there may be many.
        self._globs = [name for name in self._by_name if not name or re.search(r"[*?[]", name)]
        # Rows that may match an exposure, by SOURCEID; None for rows without one.
        self._by_exposure: dict[str, dict[int | None, list[Row]]] = {}

    def find_row(self, slit: SlitKey) -> Row | None:
        """Find the row that matches a slit; None if there is none. Refuse two."""
        if slit.exposure not in self._by_exposure:
            by_id = self._by_exposure.setdefault(slit.exposure, {})
            globs = (glob for glob in self._globs if _matches(slit.exposure, glob))
            names = dict.fromkeys((slit.exposure.lower(), *globs))
            of_exposure = (row for name in names for row in self._by_name.get(name, ()))
            for row in dict.fromkeys(of_exposure):
                parsed = parse_id(row.source_id)
                by_id.setdefault(parsed[1] if parsed else None, []).append(row)
        by_id = self._by_exposure[slit.exposure]
        candidates = (*by_id.get(slit.source_id, ()), *by_id.get(None, ()))
        rows = [row for row in candidates if row.matches(slit)]
        if len(rows) > 1:
            raise InputError(
                f"{rows[0].location} and {rows[1].location} both take slit {slit.slit_name or '?'} "
                f"(SOURCEID {slit.source_id}) of {slit.exposure}; a slit can be in one product, "
                "correct one of them"
            )
        return rows[0] if rows else None


def parse_id(text: str) -> tuple[str, int] | None:
    """Class and SOURCEID of an id; the class is empty if it may be a source or a virtual slit."""
    match = _ID.fullmatch(text)
    if not match:
        return None
    class_, number = match[1].lower(), int(match[2])
    return (class_, -abs(number)) if class_ == "v" else (class_, number)


def _matches(name: str, pattern: str) -> bool:
    return not pattern or matches(name, pattern)


def read_joins(path: str) -> Joins:
    """Read a table of joins; the message of an error names the row."""
    read = _read_yaml if path.endswith((".yaml", ".yml")) else _read_text
    try:
        # Spreadsheets write a byte order mark at the start.
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [parse_row(location, fields) for location, fields in read(path, file)]
    except UnicodeDecodeError:
        raise InputError(
            f"{path}: not a text in UTF-8; a table of joins is needed, save it again"
        ) from None
    if not rows:
        raise InputError(f"{path}: has no rows; add some, or correct the setting 'joins'")
    products: dict[Any, set[str]] = {}
    for row in rows:
        names = products.setdefault(row.key[0], set())
        names.add(row.product)
        if "" in names and len(names) > 1:
            raise InputError(
                f"{row.location}: target {row.target} has a product in one row and none in "
                "another; repeat it where it is meant"
            )
    return Joins(rows)


def _read_text(path: str, file: Iterable[str]) -> Iterator[tuple[str, dict[Any, Any]]]:
    lines = [(n, text) for n, text in enumerate(file, 1) if text.strip() and text[0] != "#"]
    delimiter = "," if path.endswith(".csv") else "\t"
    reader = csv.DictReader((text for _, text in lines), delimiter=delimiter, strict=True)
    try:
        # Cells contain no line breaks, so that each row is one line.
        for (number, _), fields in zip(lines[1:], reader, strict=True):
            yield f"{path}, line {number}", fields
    except (csv.Error, ValueError) as error:
        raise InputError(f"{path}: not a table of one row a line ({error}); correct it") from None


def _read_yaml(path: str, file: Any) -> Iterator[tuple[str, dict[Any, Any]]]:
    import yaml

    try:
        # All scalars stay text: 1345_61 is not a number, and 00061 is not octal.
        content = yaml.load(file, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{path}: not a YAML file ({' '.join(str(error).split())})") from None
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise InputError(f"{path}: not a list of mappings, as '- {{source_id: 62, target: 61}}'")
    for number, fields in enumerate(content, 1):
        yield f"{path}, row {number}", fields


def parse_row(location: str, fields: dict[Any, Any]) -> Row:
    """Parse the fields of a row by column."""
    for name, value in fields.items():
        if name is None:
            raise InputError(f"{location}: has more cells than there are columns; correct it")
        if name not in (*COLUMNS, *NOTES):
            raise InputError(
                f"{location}: has {name!r:.200}, which is not a column; these are "
                f"{', '.join(COLUMNS)}, with commas or tabs between them"
            )
        if not isinstance(value, str | None) or not (value or "").isprintable():
            raise InputError(f"{location}: {name} is not text; write one name or id, or a glob")
    values = {name: (fields.get(name) or "").strip() for name in COLUMNS}
    paths = values["exposure"].split(",")
    values["exposure"] = ",".join(os.path.basename(p.strip()).removesuffix(".fits") for p in paths)
    values["product"] = values["product"].removesuffix(".fits").removesuffix("_cal")
    row = Row(location, **values)
    if not row.target:
        raise InputError(f"{location}: has no target; write the id or name that its slits get")
    if not (row.slit_name or row.source_id or row.source_name):
        raise InputError(
            f"{location}: names no slits; fill in slit_name, source_id or source_name "
            "(a glob, * for all)"
        )
    if row.source_id and not parse_id(row.source_id):
        raise InputError(
            f"{location}: source_id {row.source_id!r} is not an id, such as 61 or b00045"
        )
    if row.product and not is_product_name(fill_template(row.product, "s00001", ["s200a1"])):
        raise InputError(
            f"{location}: {row.product!r} is not a valid product name, such as "
            "jw01345-o001_{source_id}_nirspec_f170lp-g235m"
        )
    return row
