"""The source list as a table for people."""

from collections.abc import Iterable
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
    """Cells of a source, for people to read.

    Wavelengths are in microns; pixels are rows x columns of its largest slit; the size is that of
    all its planes.
    """
    waves = [f"{float(row[key]):.2f}" for key in ("wavelength_min", "wavelength_max") if row[key]]
    cells = (
        *(row["source_id"], row["source_name"] or "-", CLASSES.get(row["class"], row["class"])),
        *(row["exposures"], row["slits"], row["detectors"] or "-", "-".join(waves) or "-"),
        *(f"{row['rows'] or '?'}x{row['columns'] or '?'}", format_size(int(row["bytes"]))),
    )
    short = (cell if len(cell) <= MAX_CELL else f"{cell[: MAX_CELL - 3]}..." for cell in cells)
    return (row["product"], *short)


def _layout(rows: Iterable[tuple[str, ...]]) -> str:
    """Lay rows out in columns."""
    lines = [COLUMNS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if name in LEFT else cell.rjust(width)
            for name, cell, width in zip(COLUMNS, line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def format_sources(path: str, limit: int) -> str:
    """Lay out the first sources of a source list, and count the others.

    Parameters
    ----------
    path : str
        The source list, ``sources.tsv``.
    limit : int
        Maximum number of rows; 0 for all.
    """
    table = Path(path)
    check_source_list(path)
    rows = read_table(str(table))
    lines = [_layout(map(_cells, rows[: limit or None]))]
    if limit and len(rows) > limit:
        lines.append(f"... and {len(rows) - limit} more")
    size = format_size(sum(int(row["bytes"]) for row in rows))
    lines.append(f"{len(rows)} sources, {size}; all columns: {table}, {table.stem}.ecsv")
    if joined := sum(1 for row in rows if row.get("joined")):
        lines.append(f"{joined} of them joined by the user, see column 'joined'")
    if left_out := read_table(str(table.parent / LEFT_OUT)):
        lines.append(f"{len(left_out)} more left out, see {table.parent}/{LEFT_OUT}")
    return "\n".join(lines)
