"""The source list: a row for each product, in TSV, in ECSV with types and units, for people."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from ..results import JOINS, LEFT_OUT, ecsv_path
from ..tables import check_source_list, read_table, write_table
from ..units import format_size

# Types of columns, with their names in ECSV and units; other columns are text.
Number = Annotated[int, "int64"]
Bytes = Annotated[int, "int64", "byte"]
Pixels = Annotated[int | None, "int64", "pix"]
Microns = Annotated[float | None, "float64", "um"]
Degrees = Annotated[float | None, "float64", "deg"]


class Source(NamedTuple):
    """A source, as one product has it: a row of the source list.

    Fields are columns, in their order (docs/how-to/see.md); ``class_`` is the column ``class``.
    Several names are separated by commas. None and empty texts are values that the exposures do not
    have.
    """

    product: str
    source_id: Number
    class_: str
    source_name: str = ""
    slit_name: str = ""
    ra: Degrees = None
    dec: Degrees = None
    source_type: str = ""
    exposures: Number = 0
    slits: Number = 0
    planes: Number = 0
    bytes: Bytes = 0
    digest: str = ""
    joined: str = ""
    detectors: str = ""
    wavelength_min: Microns = None
    wavelength_max: Microns = None
    rows: Pixels = None
    columns: Pixels = None
    exposure_type: str = ""
    family: str = ""
    exposure_names: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the source; a name may itself contain commas."""
        return tuple(dict.fromkeys((self.source_name, *self.source_name.split(","))))

    @property
    def slit_names(self) -> tuple[str, ...]:
        """Names of its slits."""
        return tuple(dict.fromkeys((self.slit_name, *self.slit_name.split(","))))

    def to_row(self) -> dict[str, Any]:
        """Convert to values by column."""
        return dict(zip(COLUMNS, self, strict=True))


COLUMNS = tuple(field.rstrip("_") for field in Source._fields)


def write_source_list(table: str, sources: Iterable[Source]) -> None:
    """Write a source list in ECSV (astropy's APE 6, version 1.0), and then `table`, in TSV."""
    rows = [source.to_row() for source in sources]
    head = ["%ECSV 1.0", "---", "delimiter: ','", "datatype:"]
    for name, hint in zip(COLUMNS, Source.__annotations__.values(), strict=True):
        datatype, *units = getattr(hint, "__metadata__", ("string",))
        unit = "".join(f", unit: {unit}" for unit in units)
        head.append(f"- {{name: {name}{unit}, datatype: {datatype}}}")
    write_table(ecsv_path(table), COLUMNS, rows, ",", "".join(f"# {line}\n" for line in head))
    write_table(table, COLUMNS, rows)


HEADINGS = (
    *("product", "id", "name", "class", "exposures", "slits", "detectors"),
    *("microns", "pixels", "size"),
)
CLASSES = {"s": "source", "b": "background", "v": "virtual"}

#: Columns that are aligned left; numbers are aligned right.
LEFT = ("product", "name", "class", "detectors")

#: Longest text of a cell, except for the product.
MAX_CELL = 24


def _cells(row: dict[str, str]) -> tuple[str, ...]:
    """Format the cells of a source: microns, rows x columns of its largest slit, size of planes."""
    waves = [f"{float(row[key]):.2f}" for key in ("wavelength_min", "wavelength_max") if row[key]]
    cells = (
        *(row["source_id"], row["source_name"] or "-", CLASSES.get(row["class"], row["class"])),
        *(row["exposures"], row["slits"], row["detectors"] or "-", "-".join(waves) or "-"),
        *(f"{row['rows'] or '?'}x{row['columns'] or '?'}", format_size(int(row["bytes"]))),
    )
    short = (cell if len(cell) <= MAX_CELL else f"{cell[: MAX_CELL - 3]}..." for cell in cells)
    return (row["product"], *short)


def format_sources(path: str, limit: int) -> str:
    """Lay out the first sources of a source list (0: all), and count the others."""
    table = Path(path)
    check_source_list(path)
    rows = read_table(path)
    table_lines = [HEADINGS, *map(_cells, rows[: limit or None])]
    widths = [max(map(len, column)) for column in zip(*table_lines, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if name in LEFT else cell.rjust(width)
            for name, cell, width in zip(HEADINGS, line, widths, strict=True)
        ).rstrip()
        for line in table_lines
    ]
    if limit and len(rows) > limit:
        lines.append(f"... and {len(rows) - limit} more")
    size = format_size(sum(int(row["bytes"]) for row in rows))
    lines.append(f"{len(rows)} sources, {size}; all columns: {table}, {table.stem}.ecsv")
    if joined := sum(1 for row in rows if row.get("joined")):
        lines.append(f"{joined} of them joined by the user, see column 'joined'")
    by_place: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in read_table(str(table.parent / JOINS)):
        by_place.setdefault((row["target"], row["product"]), []).append(row)
    if by_place:
        lines.append(f"{len(by_place)} by place, see {table.parent / JOINS}:")
    for first, *others in list(by_place.values())[: limit or None]:
        apart = (f'{row["joined"]} at {row["separation"]}"' for row in others)
        lines.append(f"  {first['joined']} and {' and '.join(apart)}")
    if left_out := read_table(str(table.parent / LEFT_OUT)):
        lines.append(f"{len(left_out)} more left out, see {table.parent}/{LEFT_OUT}")
    return "\n".join(lines)
