"""Print the products of a source list as a short table."""

import argparse
import csv
from collections.abc import Iterable
from pathlib import Path

from exp_to_source.errors import told_in_a_sentence

COLUMNS = ("product", "source id", "exposures", "size")


def product_rows(table: Path) -> list[tuple[str, str, str, str]]:
    """Rows of the table; products are looked for in the folder ``products`` beside the list.

    Parameters
    ----------
    table : Path
        A source list, ``sources.tsv``.

    Returns
    -------
    list of tuple of str
        File name, source id, count of exposures, size (``-`` where the product is not there).
    """
    rows = []
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            path = table.parent / "products" / f"{row['product']}_cal.fits"
            size = f"{path.stat().st_size / 1e6:.1f} MB" if path.exists() else "-"
            rows.append((path.name, row["source_id"], row["exposures"], size))
    return rows


def format_rows(rows: Iterable[tuple[str, ...]]) -> str:
    """Lay rows out in columns, numbers to the right."""
    lines = [COLUMNS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in lines
    )


def main() -> None:
    """Read the command line, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path, help="source list (sources.tsv)")
    table = parser.parse_args().table
    with told_in_a_sentence("show_products"):
        print(format_rows(product_rows(table)))


if __name__ == "__main__":
    main()
