"""The source list as a table for people."""

from pathlib import Path

from ..results import LEFT_OUT
from ..tables import check_source_list, read_table
from ..units import format_size

COLUMNS = (
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
    table_lines = [COLUMNS, *map(_cells, rows[: limit or None])]
    widths = [max(map(len, column)) for column in zip(*table_lines, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if name in LEFT else cell.rjust(width)
            for name, cell, width in zip(COLUMNS, line, widths, strict=True)
        ).rstrip()
        for line in table_lines
    ]
    if limit and len(rows) > limit:
        lines.append(f"... and {len(rows) - limit} more")
    size = format_size(sum(int(row["bytes"]) for row in rows))
    lines.append(f"{len(rows)} sources, {size}; all columns: {table}, {table.stem}.ecsv")
    if joined := sum(1 for row in rows if row.get("joined")):
        lines.append(f"{joined} of them joined by the user, see column 'joined'")
    if left_out := read_table(str(table.parent / LEFT_OUT)):
        lines.append(f"{len(left_out)} more left out, see {table.parent}/{LEFT_OUT}")
    return "\n".join(lines)
