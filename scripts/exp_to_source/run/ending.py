"""The end of a run in words: what was asked for, how it went, and what to do next."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence

from ..errors import pluralize
from ..files import names_in
from ..results import (
    PRODUCTS,
    QUICKLOOKS,
    REMARKS,
    REPORT,
    SKIPPED,
    SOURCES,
    SPEC3,
    SUMMARY,
    VERIFICATION,
)
from ..tables import count_other_kinds, read_table
from ..verify.verdicts import FAILED, OK, UNREADABLE, current_results
from .command_line import command_for
from .progress import format_size, format_time
from .summary import COMPLETE, INTERRUPTED, Made, Outcome

#: Maximum number of names and of reasons.
MAX_NAMES = 10

#: Maximum number of warnings.
MAX_WARNINGS = 5


def told(facts: Outcome, notes: Iterable[str] = (), words: Sequence[str] = ()) -> list[str]:
    """Say how a run ended.

    Parameters
    ----------
    facts : Outcome
        Result of `summary.outcome`.
    notes : iterable of str
        Lines about its exposures.
    words : sequence of str
        The command line without the program's name.

    Returns
    -------
    list of str
        Lines for the user; if something failed, the last are the sentences that say why.
    """
    if facts.ended == INTERRUPTED:
        return [_interruption(facts), *facts.reasons[:MAX_NAMES]]
    lines = []
    if facts.listed is None:
        lines += [_unlisted(facts), *notes]
    else:
        lines += [_products(facts)] if _is_about_products(facts) else []
        lines += _failed(facts)
        lines += [line for target in facts.asked for line in _target(target, facts)]
        lines += [*notes, *skipped_exposures(facts.results), *remarks(facts.results)]
    if facts.ended == COMPLETE:
        return [*lines, *_next_step(facts, words)]
    if not facts.reasons:
        return [*lines, "the same command makes what is missing"]
    if len(facts.reasons) > MAX_NAMES:
        where = f"{facts.results}/{SUMMARY}"
        lines.append(f"{MAX_NAMES} of {len(facts.reasons)} reasons, all are in {where}:")
    return [*lines, *facts.reasons[:MAX_NAMES]]


def _interruption(facts: Outcome) -> str:
    """Line on a run that was interrupted."""
    if facts.listed is None:
        return "interrupted before the sources were listed; the same command goes on"
    made = facts.new + facts.rebuilt + facts.unchanged
    return f"interrupted: {made} of {facts.listed} made; the same command goes on"


def _unlisted(facts: Outcome) -> str:
    """Line on a run that ended before it had listed the sources."""
    if not facts.unchanged:
        return f"no sources are listed in {facts.results} yet, and no products made"
    there = pluralize(facts.unchanged, "product")
    return f"no sources were listed; {there} of earlier runs stay in {facts.results}/{PRODUCTS}"


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
        f"{pluralize(facts.listed or 0, 'product')} in {facts.results}/{PRODUCTS}, "
        f"{format_size(facts.size)} of planes, {format_time(facts.seconds)}: {what}"
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
    results = facts.results
    table = os.path.join(results, SOURCES)
    if target == "all":
        return []
    if target == "sources":
        left_out = f", {facts.left_out} left out by choice" if facts.left_out else ""
        made = facts.new or facts.rebuilt
        return [
            f"{pluralize(facts.listed or 0, 'source')} in {table}{left_out}"
            + ("" if made else "; nothing made")
        ]
    if target == "verify":
        path = os.path.join(results, VERIFICATION)
        found = current_results(results).values()
        states = Counter(result.status for result in found if result.status)
        unproved = f", {states[UNREADABLE]} that nothing opens" if states[UNREADABLE] else ""
        proved = f"{states[OK]} sound, {states[FAILED]} damaged{unproved}: {path}"
        return [proved] if states else []
    if target == "report":
        path = os.path.join(results, REPORT)
        return [f"report: {path}"] if facts.ended == COMPLETE else []
    if target == "quicklook":
        return [_number("quick look", "quick looks", facts.quicklooks, QUICKLOOKS, facts)]
    if target == "spec3":
        return [
            _number("spectrum", "spectra", facts.spectra, SPEC3, facts),
            *_warnings_of_spectra(facts.results),
        ]
    path = os.path.join(os.path.dirname(results), target)
    return [f"made: {path}"] if facts.ended == COMPLETE and os.path.exists(path) else []


def _warnings_of_spectra(results: str) -> list[str]:
    """Lines on what tables of spectra lack, of the logs of the jobs that made them."""
    folder = os.path.join(os.path.dirname(results), "logs", "combine_grism_spectra")
    families = {row.get("family") for row in read_table(os.path.join(results, SOURCES))}
    lines = []
    for name in sorted(names_in(folder).intersection(f"{family}.log" for family in families)):
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            lines += [f"  {line.rstrip()}" for line in file if line.startswith("warning: ")]
    return lines


def _number(one: str, several: str, made: Made, folder: str, facts: Outcome) -> str:
    """Line on files of a kind: how many this run made, and how many were there."""
    there = sum(made)
    earlier = f", {made.earlier} of earlier runs" if made.earlier else ""
    return (
        f"{there} {one if there == 1 else several} in {facts.results}/{folder}, "
        f"{format_time(facts.seconds)}: {made.now} made{earlier}"
    )


def _next_step(facts: Outcome, words: Sequence[str]) -> list[str]:
    """Lines on what to do with what was made."""
    ways = {"report": "a page on the sources", "verify": "checks the products"}
    if "sources" in facts.asked:
        ways = {"all": "makes the products"}
    elif facts.asked != ["all"] or not (facts.new or facts.rebuilt):
        return []
    commands = {command_for(target, words): what for target, what in ways.items()}
    return [f"next: {command}  # {what}" for command, what in commands.items() if command]


def skipped_exposures(results: str) -> list[str]:
    """Count the files that were passed over, and list the exposures that were skipped."""
    path = os.path.join(results, SKIPPED)
    rows = read_table(path)
    lines = [f"{others}; see {path}"] if (others := count_other_kinds(rows)) else []
    if reasons := [row["reason"] for row in rows if not row.get("other_kind")]:
        lines.append(f"{pluralize(len(reasons), 'exposure')} skipped, see {path}:")
        lines += (f"  skipped: {reason}" for reason in reasons[:MAX_NAMES])
    return lines


def remarks(results: str) -> list[str]:
    """Count the remarks, and list the most serious."""
    path = os.path.join(results, REMARKS)
    if not (rows := read_table(path)):
        return []
    exposures = {row["exposure"] for row in rows} - {""}
    warnings = Counter(row["remark"] for row in rows if row["level"] == "warning")
    what = pluralize(len(rows), "remark")
    if exposures:
        what += f" on {pluralize(len(exposures), 'exposure')}"
    lines = [f"{what}, see {path}"]
    for remark, count in list(warnings.items())[:MAX_WARNINGS]:
        lines.append(f"  warning: {remark}" + (f" ({count} exposures)" if count > 1 else ""))
    if len(warnings) > MAX_WARNINGS:
        lines.append(f"  and {len(warnings) - MAX_WARNINGS} more warnings")
    return lines
