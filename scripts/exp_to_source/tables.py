"""The tables of a run: text, separated by tabs or commas."""

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .errors import InputError, pluralize
from .files import write_file


def write_table(
    path: str,
    columns: Sequence[str],
    rows: Iterable[dict[str, Any]],
    delimiter: str = "\t",
    head: str = "",
) -> None:
    """Write rows, by column, after a text `head`; other keys of the rows are left out."""
    text = io.StringIO(head)
    text.seek(0, io.SEEK_END)
    writer = csv.DictWriter(
        text, columns, delimiter=delimiter, lineterminator="\n", extrasaction="ignore"
    )
    writer.writeheader()
    writer.writerows(rows)
    write_file(path, text.getvalue().encode())


def read_table(path: str) -> list[dict[str, str]]:
    """Read the rows of a tab-separated table; none if the file does not exist."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))
    except FileNotFoundError:
        return []
    except (ValueError, csv.Error):
        raise InputError(f"{path}: not a table any more; delete it and run again") from None


def count_other_kinds(rows: Iterable[Mapping[str, str]]) -> str:
    """Count the files of other kinds, by ``other_kind``, in a sentence; empty without any."""
    kinds = Counter(kind for row in rows if (kind := row.get("other_kind")))
    if not kinds:
        return ""
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    files = pluralize(kinds.total(), "file")
    return f"ignored {files} of other kinds than spectroscopic exposures of many slits: {counts}"


def check_source_list(table: str) -> None:
    """Raise `InputError` if the source list does not exist."""
    if not os.path.exists(table):
        raise InputError(
            f"{table}: there is no source list; run 'snakemake sources' first, or correct the path"
        )


def read_sources(table: str) -> dict[str, dict[str, str]]:
    """Read the rows of a source list, by the names of the products; anything else is an error."""
    try:
        with open(table, encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t")
            if "product" in (rows.fieldnames or ()):
                return {row["product"]: row for row in rows}
    except (ValueError, csv.Error):
        pass
    raise InputError(f"{table}: not a source list any more; delete it and run again")
