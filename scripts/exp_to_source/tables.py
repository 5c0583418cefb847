"""The tables of a run: tab-separated text."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from .files import replacing, write_all


def write_table(path: str, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write a tab-separated table; what rows have besides the columns is left out."""
    text = io.StringIO()
    writer = csv.DictWriter(
        text, columns, delimiter="\t", lineterminator="\n", extrasaction="ignore"
    )
    writer.writeheader()
    writer.writerows(rows)
    with replacing(path) as file:
        write_all(file, text.getvalue().encode())


def read_table(path: str) -> list[dict[str, str]]:
    """Rows of a tab-separated table, none where there is no such file."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))
    except FileNotFoundError:
        return []


def read_products(table: str) -> list[str]:
    """Names of the products in a source list."""
    return [row["product"] for row in read_table(table)]
