"""The end of a run in words: what was asked for, how it went, and what to do next."""

import os
from collections import Counter
from collections.abc import Iterable

from ..errors import counted
from ..files import names_in
from ..results import (
    PREVIOUS,
    PRODUCTS,
    PROOF,
    QUICKLOOKS,
    REMARKS,
    REPORT,
    SKIPPED,
    SOURCES,
    SPEC3,
    SUMMARY,
    quicklook_path,
    spectrum_path,
)
from ..tables import read_products, read_table
from .progress import format_size, format_time
from .summary import COMPLETE, INTERRUPTED, Outcome

#: Maximum number of names and of reasons.
MAX_NAMES = 10

#: Maximum number of warnings.
MAX_WARNINGS = 5


def told(facts: Outcome, notes: Iterable[str] = ()) -> list[str]:
    """Say how a run ended.

    Parameters
    ----------
    facts : Outcome
        Result of `summary.outcome`.
    notes : iterable of str
        Lines about its exposures.

    Returns
    -------
    list of str
        Lines for the user; if something failed, the last are the sentences that say why.
    """
    if facts.ended == INTERRUPTED:
        return [_interruption(facts), *facts.reasons[:MAX_NAMES]]
    lines = []
    if facts.listed is None:
        lines.append(f"no sources are listed in {facts.results} yet, and no products made")
    elif _is_about_products(facts):
        lines.append(_products(facts))
    lines += _failed(facts)
    lines += [line for target in facts.asked for line in _target(target, facts)]
    lines += [*notes, *skipped_exposures(facts.results), *remarks(facts.results)]
    if facts.ended == COMPLETE:
        return [*lines, *_next_step(facts)]
    if kept := names_in(os.path.join(facts.results, PREVIOUS)):
        older = counted(len(kept), "older product")
        lines.append(f"{older} in {facts.results}/{PREVIOUS} until the new ones are made")
    if not facts.reasons:
        return [*lines, "the same command makes what is missing"]
    every = (
        ""
        if len(facts.reasons) <= MAX_NAMES
        else (
            f" ({MAX_NAMES} of {len(facts.reasons)} reasons, all are in {facts.results}/{SUMMARY})"
        )
    )
    then = f"once this is seen to, the same command goes on{every}:"
    return [*lines, then, *facts.reasons[:MAX_NAMES]]


def _interruption(facts: Outcome) -> str:
    """Line on a run that was interrupted."""
    if facts.listed is None:
        return "interrupted before the sources were listed; the same command goes on"
    made = facts.new + facts.rebuilt + facts.unchanged
    return f"interrupted: {made} of {facts.listed} made; the same command goes on"


def _is_about_products(facts: Outcome) -> bool:
    """Whether products were asked for, made or lost."""
    return "all" in facts.asked or bool(facts.new or facts.rebuilt or facts.failed)


def _products(facts: Outcome) -> str:
    """Line on the products."""
    counts = {
        "new": facts.new,
        "rebuilt": facts.rebuilt,
        "unchanged": facts.unchanged,
        "failed": len(facts.failed),
        "not made": len(facts.missing),
        "not asked for": facts.not_asked,
        "left out by choice": facts.left_out,
    }
    what = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return (
        f"{counted(facts.listed or 0, 'product')} in {facts.results}/{PRODUCTS}, "
        f"{format_size(facts.size)}, {format_time(facts.seconds)}: {what}"
    )


def _failed(facts: Outcome) -> list[str]:
    """Lines on the products that failed."""
    logs = os.path.join(os.path.dirname(facts.results), "logs", "gather_source")
    lines = [f"  failed: {name} (see {logs}/{name}.log)" for name in facts.failed[:MAX_NAMES]]
    if len(facts.failed) > MAX_NAMES:
        lines.append(f"  and {len(facts.failed) - MAX_NAMES} more")
    return lines


def _target(target: str, facts: Outcome) -> list[str]:
    """Line on a target other than the products; none if it was not made."""
    results, time = facts.results, format_time(facts.seconds)
    table = os.path.join(results, SOURCES)
    if target == "all" or facts.listed is None:
        return []
    if target == "sources":
        left_out = f", {facts.left_out} left out by choice" if facts.left_out else ""
        made = facts.new or facts.rebuilt
        return [
            f"{counted(facts.listed, 'source')} in {table}{left_out}"
            + ("" if made else "; nothing made")
        ]
    if target == "verify":
        path = os.path.join(results, PROOF)
        states = Counter(row["status"] for row in read_table(path))
        unproved = f", {states['unproved']} that nothing opens" if states["unproved"] else ""
        proved = f"{states['sound']} sound, {states['damaged']} damaged{unproved}: {path}"
        return [proved] if states else []
    if target == "report":
        path = os.path.join(results, REPORT)
        return [f"report: {path}"] if facts.ended == COMPLETE else []
    names = read_products(table)
    if target == "quicklook":
        there = _number(quicklook_path(results, name) for name in names)
        return [f"{counted(there, 'quick look')} in {results}/{QUICKLOOKS}, {time}"]
    if target == "spec3":
        there = _number(spectrum_path(results, name, "x1d") for name in names)
        noun = "spectrum" if there == 1 else "spectra"
        return [f"{there} {noun} in {results}/{SPEC3}, {time}"]
    path = os.path.join(os.path.dirname(results), target)
    return [f"made: {path}"] if os.path.exists(path) else []


def _number(paths: Iterable[str]) -> int:
    """Return how many of some files exist."""
    return sum(1 for path in paths if os.path.exists(path))


def _next_step(facts: Outcome) -> list[str]:
    """Line on what to do with what was made."""
    if "sources" in facts.asked:
        return ["next: the same command without 'sources' makes the products"]
    made = facts.new or facts.rebuilt
    ways = {"report": "a page on the sources", "verify": "checks the products"}
    left = [
        f"'snakemake {name} ...' ({what})" for name, what in ways.items() if name not in facts.asked
    ]
    if "all" in facts.asked and made and left:
        return [f"next: the same command as {' or '.join(left)}"]
    return []


def skipped_exposures(results: str) -> list[str]:
    """List the exposures that were skipped."""
    path = os.path.join(results, SKIPPED)
    if not (rows := read_table(path)):
        return []
    return [
        f"{counted(len(rows), 'exposure')} skipped, see {path}:",
        *(f"  skipped: {row['reason']}" for row in rows[:MAX_NAMES]),
    ]


def remarks(results: str) -> list[str]:
    """Count the remarks, and list the most serious."""
    path = os.path.join(results, REMARKS)
    if not (rows := read_table(path)):
        return []
    exposures = {row["exposure"] for row in rows} - {""}
    warnings = Counter(row["remark"] for row in rows if row["level"] == "warning")
    what = counted(len(rows), "remark")
    if exposures:
        what += f" on {counted(len(exposures), 'exposure')}"
    lines = [f"{what}, see {path}"]
    for remark, count in list(warnings.items())[:MAX_WARNINGS]:
        lines.append(f"  warning: {remark}" + (f" ({count} exposures)" if count > 1 else ""))
    if len(warnings) > MAX_WARNINGS:
        lines.append(f"  and {len(warnings) - MAX_WARNINGS} more warnings")
    return lines
