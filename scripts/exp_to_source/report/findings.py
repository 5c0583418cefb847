"""Problems in the files of a run: exposures skipped, products missing or damaged, diagnostics."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ..errors import pluralize
from ..files import names_in
from ..results import CAL, PRODUCTS, REMARKS, SKIPPED
from ..tables import count_other_kinds, read_table
from ..verify.verdicts import FAILED, UNREADABLE, Result
from .coverage import ABSENT

#: Maximum number of listed lines of a kind.
MAX_LINES = 100

#: Severities of findings, the most serious first.
LEVELS = ("error", "warning", "note")


class Finding(NamedTuple):
    """A problem, or something special about the products."""

    level: str  #: one of `LEVELS`
    title: str
    lines: list[str]  #: where
    filter: str = ""  #: of the table of sources, to show those concerned


def find_problems(
    results: str, logs: str, coverage: Mapping[str, str], verdicts: Mapping[str, Result]
) -> list[Finding]:
    """Collect the problems of a run, the most serious first.

    Coverage (lines of the map) and verdicts are by product.
    """
    failed, unreadable = (
        [f"{name}: {each.message}" for name, each in verdicts.items() if each.status == status]
        for status in (FAILED, UNREADABLE)
    )
    names = find_missing_products(results, coverage)
    missing = [f"{name}: {read_last_line(logs, name)}" for name in names]
    unused = read_table(os.path.join(results, SKIPPED))
    skipped = [row["reason"] for row in unused if not row.get("other_kind")]
    gaps = [number for letters in coverage.values() if (number := letters.count(ABSENT))]
    kinds = (
        ("error", failed, "verification", "failed", "damaged"),
        ("error", missing, "product", "missing", "missing"),
        ("warning", unreadable, "product", "could not be verified to open", ""),
        ("warning", skipped, "exposure", "skipped; the products are without them", ""),
    )
    findings = [
        Finding(level, f"{pluralize(len(lines), noun)} {words}", limit_lines(lines), filter_name)
        for level, lines, noun, words, filter_name in kinds
        if lines
    ]
    if title := count_other_kinds(unused):
        paths = [row["path"] for row in unused if row.get("other_kind")]
        findings.append(Finding("note", title, limit_lines(paths)))
    if gaps:
        title = (
            f"{pluralize(len(gaps), 'source')} absent from exposures of a setting that has them in "
            f"others: {pluralize(sum(gaps), 'gap')} in all. This is no fault where a dither or the "
            "plan of the shutters leaves them out"
        )
        findings.append(Finding("note", title, [], "absent"))
    findings += read_diagnostics(results)
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def find_missing_products(results: str, products: Iterable[str]) -> list[str]:
    """Return the names of the products that do not exist."""
    existing = names_in(os.path.join(results, PRODUCTS))
    return [name for name in products if f"{name}{CAL}" not in existing]


def read_last_line(logs: str, product: str) -> str:
    """Return the last line of the log of the job that gathers a product."""
    path = Path(logs, "gather_source", f"{product}.log")
    text = path.read_text("utf-8", "replace").strip() if path.exists() else ""
    return text.split("\n")[-1].strip() or "its log is empty"


def read_diagnostics(results: str) -> list[Finding]:
    """Read the diagnostics of run and exposures; one of many exposures is listed once."""
    exposures: dict[tuple[str, str], list[str]] = {}
    for row in read_table(os.path.join(results, REMARKS)):
        names = exposures.setdefault((row["level"], row["remark"]), [])
        if row["exposure"]:
            names.append(row["exposure"])
    return [
        Finding(
            level,
            f"{pluralize(len(names), 'exposure')}: {text}" if names else text,
            limit_lines(names),
        )
        for (level, text), names in exposures.items()
    ]


def limit_lines(lines: list[str]) -> list[str]:
    """Return the first lines, and the number of the others."""
    more = len(lines) - MAX_LINES
    return lines[:MAX_LINES] + ([f"and {more} more"] if more > 0 else [])
