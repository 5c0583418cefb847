"""The end of a run: what was asked for, how it went, and what to do next.

`outcome` finds the facts, `told` puts them into words, and `write_summary` keeps them
for machines.
"""

import json
import os
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .. import FORMAT, __version__
from ..errors import counted
from ..files import date_now, file_state, names_in, replacing, write_all
from ..formats.previous import LONG_AGO
from ..results import (
    CAL,
    LEFT_OUT,
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
    manifest_path,
    product_path,
    quicklook_path,
    spectrum_path,
)
from ..tables import read_products, read_table
from .progress import format_size, format_time

#: Maximum number of names in a summary.
MAX_NAMES = 10

#: Maximum number of warnings.
MAX_WARNINGS = 5

#: Targets of a run besides files, in the order in which the end of a run speaks of them.
TARGETS = ("all", "sources", "quicklook", "verify", "report", "spec3")

#: Targets that ask for all products.
OF_ALL_PRODUCTS = {"all", "quicklook", "verify", "report"}

#: How a run ended.
COMPLETE, FAILED, INTERRUPTED = "complete", "failed", "interrupted"


class Outcome(NamedTuple):
    """The facts about a run that has ended.

    Attributes
    ----------
    results : str
        Folder of its results, as an absolute path.
    asked : list of str
        Targets, and paths of files that were asked for by name.
    ended : str
        ``complete``, ``failed`` or ``interrupted``.
    reasons : list of str
        Sentences that say why something failed.
    seconds : float
        Duration of the run.
    listed : int, optional
        Number of products in the source list; None if there is no list.
    size : int
        Bytes of these products that exist.
    new, rebuilt, unchanged : int
        Products that did not exist before the run; that did; that were up to date.
    failed : list of str
        Products that could not be made.
    missing : list of str
        Products that were asked for, but not made as the run ended before.
    not_asked : int
        Products that are missing or out of date, and were not asked for.
    left_out : int
        Sources that the settings leave out.
    skipped : int
        Exposures that were skipped.
    """

    results: str
    asked: list[str]
    ended: str
    reasons: list[str]
    seconds: float
    listed: int | None = None
    size: int = 0
    new: int = 0
    rebuilt: int = 0
    unchanged: int = 0
    failed: Sequence[str] = ()
    missing: Sequence[str] = ()
    not_asked: int = 0
    left_out: int = 0
    skipped: int = 0


def product_states(results: str) -> dict[str, Any]:
    """State of each existing product file, for `outcome`."""
    folder = os.path.join(results, PRODUCTS)
    names = os.listdir(folder) if os.path.isdir(folder) else ()
    states = {name: file_state(os.path.join(folder, name)) for name in names}
    return {name: state for name, state in states.items() if state}


def asked_for(rules: set[str], files: Iterable[str]) -> list[str]:
    """Name what was asked for: targets among the rules of a run, and files by their names.

    Parameters
    ----------
    rules : set of str
        Names of the rules of the run's jobs.
    files : iterable of str
        Files that the command line names.
    """
    return [*(name for name in TARGETS if name in rules), *files] or ["all"]


def outcome(
    results: str,
    before: dict[str, Any],
    asked: list[str],
    ended: str,
    reasons: Iterable[str],
    failed: Iterable[str],
    seconds: float,
) -> Outcome:
    """Find what a run made, what it left unchanged, and what is missing.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    before : dict
        Result of `product_states` when the run began: clocks of file systems are coarse, and differ
        from the computer's.
    asked : list of str
        Result of `asked_for`.
    ended : str
        ``complete``: all targets exist, though other products may be missing, or older than a
        manifest that was restored; ``failed`` or ``interrupted``.
    reasons : iterable of str
        Sentences that say why something failed.
    failed : iterable of str
        Paths of files that could not be made.
    seconds : float
        Duration of the run.
    """
    facts = Outcome(os.path.abspath(results), asked, ended, list(dict.fromkeys(reasons)), seconds)
    table = os.path.join(results, SOURCES)
    if not os.path.exists(table):
        return facts
    products = {name: f"{name}{CAL}" for name in read_products(table)}
    now = product_states(results)
    absent = [
        name
        for name, file in products.items()
        if file not in now
        # As set by the source list for products that must be made again.
        or now[file][-1] == LONG_AGO * 10**9
        or (ended != COMPLETE and _is_out_of_date(results, name))
    ]
    there = products.keys() - set(absent)
    made = [name for name in there if now[products[name]] != before.get(products[name])]
    rebuilt = sum(1 for name in made if products[name] in before)
    unmade = {os.path.basename(path) for path in failed}
    lost = [name for name in absent if products[name] in unmade]
    rest = [name for name in absent if products[name] not in unmade]
    wanted = bool(OF_ALL_PRODUCTS & {*asked}) and ended != COMPLETE
    return facts._replace(
        listed=len(products),
        size=sum(now[file][1] for file in products.values() if file in now),
        new=len(made) - rebuilt,
        rebuilt=rebuilt,
        unchanged=len(there) - len(made),
        failed=lost,
        missing=rest if wanted else (),
        not_asked=0 if wanted else len(rest),
        left_out=len(read_table(os.path.join(results, LEFT_OUT))),
        skipped=len(read_table(os.path.join(results, SKIPPED))),
    )


def told(facts: Outcome, notes: Iterable[str] = ()) -> list[str]:
    """Say how a run ended.

    Parameters
    ----------
    facts : Outcome
        Result of `outcome`.
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


def write_summary(facts: Outcome, settings: Mapping[str, Any], snakemake: str) -> None:
    """Keep the facts for machines, in ``summary.json``.

    Parameters
    ----------
    facts : Outcome
        Result of `outcome`.
    settings : mapping
        Settings of the run that are no defaults.
    snakemake : str
        Version of Snakemake.
    """
    versions = {
        "exp_to_source": __version__,
        "format": FORMAT,
        "snakemake": snakemake,
        "python": platform.python_version(),
    }
    content = facts._asdict() | {
        "seconds": round(facts.seconds, 3),
        "date": date_now(),
        "settings": settings,
        "versions": versions,
    }
    with replacing(os.path.join(facts.results, SUMMARY)) as file:
        write_all(file, f"{json.dumps(content, indent=1, default=str)}\n".encode())


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


def _is_out_of_date(results: str, name: str) -> bool:
    """Whether a product is older than its manifest."""
    product = product_path(results, name)
    manifest = manifest_path(results, name)
    try:
        return os.stat(product).st_mtime < os.stat(manifest).st_mtime
    except FileNotFoundError:
        return False
