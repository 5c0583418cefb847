"""What verification found: of each product, and of all of them together."""

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from .association import Association
from .errors import InputError
from .files import replacing, write_all

COLUMNS = ("product", "exposures", "planes", "verdict")

#: How many things of a kind a sentence names.
MAX_NAMED = 6


class Verdict(NamedTuple):
    """What verification found of a product.

    Attributes
    ----------
    product : str
        Its name, without ``_cal``.
    planes : int
        Number of its planes.
    slits : list
        File name of the exposure and number of the slit, for each entry whose slit was found.
    association : str or None
        Name of its association's file.
    damages, notes : list of str
        What is wrong; what could not be verified.
    """

    product: str
    planes: int
    slits: list[list[Any]]
    association: str | None
    damages: list[str]
    notes: list[str]

    def row(self) -> dict[str, Any]:
        """Row of the table."""
        if self.damages:
            verdict = f"damaged: {some(self.damages, '; ')}"
        else:
            verdict = f"ok ({'; '.join(self.notes)})" if self.notes else "ok"
        exposures = len({filename for filename, _ in self.slits})
        values = (self.product, exposures, self.planes, " ".join(verdict.split()))
        return dict(zip(COLUMNS, values, strict=True))


def some(names: list[str], separator: str = ", ") -> str:
    """List names, the first few of them."""
    more = len(names) - MAX_NAMED
    return separator.join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def write_verdicts(path: str, verdicts: Iterable[Verdict]) -> None:
    """Write verdicts, one a line."""
    with replacing(path) as file:
        for verdict in verdicts:
            write_all(file, json.dumps(verdict).encode() + b"\n")


def read_verdicts(path: str) -> list[Verdict]:
    """Read what `write_verdicts` wrote."""
    with open(path, "rb") as file:
        return [Verdict(*json.loads(line)) for line in file]


def read_labels(path: str) -> tuple[str, list[str]]:
    """File name of an exposure and labels of its slits, from its fingerprints."""
    with open(path, "rb") as file:
        top = json.loads(file.readline())
    return top["filename"], [label for label, *_ in top["slits"]]


def judge(
    verdicts: list[Verdict],
    exposures: Iterable[tuple[str, list[str]]],
    associations: list[Association],
    expected: dict[str, int],
) -> list[Verdict]:
    """Find what only shows when all products are looked at: slits lost, or there twice.

    Parameters
    ----------
    verdicts : list of Verdict
        Of all products.
    exposures : iterable of (str, list of str)
        File names, and labels of their slits.
    associations : list of Association
        Each has products of its own.
    expected : dict
        Number of slits of each product, from the source list.

    Returns
    -------
    list of Verdict
        The verdicts, with such damages added; the last is of no product where slits are lost.
    """
    uses: dict[tuple[str, int], list[Verdict]] = {}
    for verdict in verdicts:
        if not verdict.damages and len(verdict.slits) != expected[verdict.product]:
            verdict.damages.append(
                f"has {len(verdict.slits)} entries, {expected[verdict.product]} in the source list"
            )
        for filename, number in verdict.slits:
            uses.setdefault((filename, number), []).append(verdict)
    families: dict[str, list[str | None]] = {}
    for association in associations:
        for path in association.science:
            name = os.path.basename(association.path)
            families.setdefault(os.path.basename(path), []).append(name)

    lost = []
    for filename, labels in exposures:
        wanted = Counter(families.get(filename, [None]))
        for number, label in enumerate(labels, 1):
            users = uses.get((filename, number), [])
            # An exposure of no association has products whatever association it names itself.
            found = Counter(user.association if filename in families else None for user in users)
            if wanted - found:
                lost.append(f"{label} of {filename}")
            if found - wanted:
                products = some([user.product for user in users])
                for user in users:
                    user.damages.append(f"{label} of {filename} is in {products}")
    if not lost:
        return verdicts
    what = f"lost: {len(lost)} slits are in no product that could be read: {some(lost)}"
    return [*verdicts, Verdict("(none)", 0, [], None, [what], [])]


def read_sizes(table: str) -> dict[str, int]:
    """Read the number of slits of each product from the source list."""
    with open(table, encoding="utf-8", newline="") as file:
        return {row["product"]: int(row["slits"]) for row in csv.DictReader(file, delimiter="\t")}


def write_table(path: str, verdicts: Iterable[Verdict]) -> None:
    """Write the table of verdicts."""
    text = io.StringIO()
    rows = csv.DictWriter(text, COLUMNS, delimiter="\t", lineterminator="\n")
    rows.writeheader()
    rows.writerows(verdict.row() for verdict in verdicts)
    with replacing(path) as file:
        write_all(file, text.getvalue().encode())


def list_verdicts(
    table: str,
    verdicts: Iterable[str],
    fingerprints: Iterable[str],
    associations: list[Association],
    sources: str,
) -> str:
    """Write the verdict on each product of a run.

    Parameters
    ----------
    table : str
        File to write.
    verdicts, fingerprints : iterable of str
        Files of the verdicts, and of the fingerprints of all exposures.
    associations : list of Association
        Those of the run.
    sources : str
        The source list.

    Returns
    -------
    str
        What was found, in a sentence.

    Raises
    ------
    InputError
        If something is damaged; the table is written nevertheless.
    """
    found = [verdict for path in verdicts for verdict in read_verdicts(path)]
    judged = judge(found, map(read_labels, fingerprints), associations, read_sizes(sources))
    write_table(table, judged)
    if damaged := [verdict for verdict in judged if verdict.damages]:
        raise InputError(
            f"{len(damaged)} of {len(judged)} rows of {table} tell of damage:\n"
            + "\n".join("{product}: {verdict}".format(**verdict.row()) for verdict in damaged)
        )
    return f"{table}: {len(judged)} products are sound"
