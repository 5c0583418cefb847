"""Diagnostics: warnings and notes for the user, about an exposure or about the run as a whole."""

from collections.abc import Iterable
from typing import NamedTuple

#: Columns of the table of diagnostics.
COLUMNS = ("level", "exposure", "path", "remark")


class Diagnostic(NamedTuple):
    """A sentence and its level: ``warning`` for what a user should correct, or ``note``."""

    level: str
    text: str


def to_rows(
    run: Iterable[Diagnostic], exposures: Iterable[tuple[dict[str, str], Iterable[Diagnostic]]]
) -> list[dict[str, str]]:
    """Convert diagnostics to rows of the table, warnings first.

    Parameters
    ----------
    run : iterable of Diagnostic
        Diagnostics of the run as a whole.
    exposures : iterable of (dict, iterable of Diagnostic)
        Exposures (with columns of the table), and the diagnostics of each.
    """
    groups = [({}, run), *exposures]
    rows = [
        about | {"level": level, "remark": text} for about, items in groups for level, text in items
    ]
    return sorted(rows, key=lambda row: row["level"] != "warning")
