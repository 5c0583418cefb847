"""Problems found in the files of a run: skipped, missing, damaged, with remarks."""

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..errors import pluralize
from ..results import CAL, PRODUCTS, REMARKS, SKIPPED
from ..tables import count_other_kinds, read_table
from ..verify.verdicts import DAMAGED, UNPROVED, Told
from .coverage import ABSENT

#: Maximum number of listed lines of a kind.
MAX_LINES = 100


#: Severities of findings, the most serious first.
LEVELS = ("error", "warning", "note")


class Finding(NamedTuple):
    """Something that a user should know.

    Attributes
    ----------
    level : {"error", "warning", "note"}
        Its severity.
    title : str
        The finding, in a sentence.
    lines : list of str
        Where.
    only : str
        Filter of the table of sources that shows those concerned, or none.
    """

    level: str
    title: str
    lines: list[str]
    only: str = ""


def find_problems(
    results: str, logs: str, coverage: Mapping[str, str], verdicts: Mapping[str, Told]
) -> list[Finding]:
    """Collect everything that a user should know about a run, the most serious first.

    Parameters
    ----------
    results, logs : str
        Folders of the run.
    coverage : dict
        Product to its line of the map.
    verdicts : dict
        Product to verdict.
    """
    findings = []
    by_status: dict[str, list[str]] = {}
    for name, told in verdicts.items():
        by_status.setdefault(told.status, []).append(f"{name}: {told.words}")
    if damaged := by_status.get(DAMAGED):
        title = f"{pluralize(len(damaged), 'verdict')} of damage"
        findings.append(Finding("error", title, shortened(damaged), "damaged"))
    if unproved := by_status.get(UNPROVED):
        title = f"{pluralize(len(unproved), 'product')} could not be proved to open"
        findings.append(Finding("warning", title, shortened(unproved)))
    lost = [f"{name}: {last_words(logs, name)}" for name in missing_products(results, coverage)]
    if lost:
        title = f"{pluralize(len(lost), 'product')} not made"
        findings.append(Finding("error", title, shortened(lost), "missing"))
    unused = read_table(os.path.join(results, SKIPPED))
    if skipped := [row["reason"] for row in unused if not row.get("other_kind")]:
        title = f"{pluralize(len(skipped), 'exposure')} skipped; products were made without them"
        findings.append(Finding("warning", title, shortened(skipped)))
    if title := count_other_kinds(unused):
        paths = [row["path"] for row in unused if row.get("other_kind")]
        findings.append(Finding("note", title, shortened(paths)))
    if gaps := sum(line.count(ABSENT) for line in coverage.values()):
        sources = sum(1 for line in coverage.values() if ABSENT in line)
        title = (
            f"{pluralize(sources, 'source')} absent from exposures of a setting that has them in "
            f"others: {pluralize(gaps, 'gap')} in all. This is no fault where a dither or the plan "
            "of the shutters leaves them out"
        )
        findings.append(Finding("note", title, [], "absent"))
    findings += remarks(results)
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def missing_products(results: str, products: Iterable[str]) -> list[str]:
    """Names of the products that do not exist."""
    folder = os.path.join(results, PRODUCTS)
    there = set(os.listdir(folder)) if os.path.isdir(folder) else set()
    return [name for name in products if f"{name}{CAL}" not in there]


def last_words(logs: str, product: str) -> str:
    """Return the last lines of the log of the job that should have made a product."""
    lines = read_lines(os.path.join(logs, "gather_source", f"{product}.log"))
    return lines[-1] if lines else "its job has not run, or said nothing"


def remarks(results: str) -> list[Finding]:
    """Remarks on the run and on exposures; a remark on many exposures is listed once."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in read_table(os.path.join(results, REMARKS)):
        names = found.setdefault((row["level"], row["remark"]), [])
        if row["exposure"]:
            names.append(row["exposure"])
    return [
        Finding(
            level,
            f"{pluralize(len(names), 'exposure')}: {remark}" if names else remark,
            shortened(names),
        )
        for (level, remark), names in found.items()
    ]


def read_lines(path: str) -> list[str]:
    """Lines of a log that are not blank; none if there is no log."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as file:
        return [line.strip() for line in file if line.strip()]


def shortened(lines: list[str]) -> list[str]:
    """Return the first lines, and the number of the others."""
    more = len(lines) - MAX_LINES
    return lines[:MAX_LINES] + ([f"and {more} more"] if more > 0 else [])
