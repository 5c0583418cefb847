"""The end of a run: what it made, what failed and why, and what to do next."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from .. import results as names
from ..errors import pluralize
from ..files import file_state, names_in
from ..tables import count_other_kinds, read_table
from ..units import format_size, format_time
from ..verify.verdicts import FAILED as DAMAGED
from ..verify.verdicts import OK, UNREADABLE, current_results

#: Targets of a run besides files, and those that need all products.
TARGETS = ("all", "sources", "quicklook", "verify", "report", "catalog", "spec3")
OF_ALL_PRODUCTS = {"all", "quicklook", "verify", "report", "catalog"}

#: How a run ended.
COMPLETE, FAILED, INTERRUPTED = "complete", "failed", "interrupted"

#: Maximum number of names and of reasons, and of warnings.
MAX_NAMES, MAX_WARNINGS = 10, 5


class Counts(NamedTuple):
    """Numbers of files of a kind: made by the run, by earlier runs, failed, not reached."""

    now: int = 0
    earlier: int = 0
    failed: int = 0
    missing: int = 0


class RunSummary(NamedTuple):
    """How a run ended; its fields are those of ``summary.json`` (docs/reference/files.md)."""

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
    passed_over: int = 0
    quicklooks: Counts = Counts()
    spectra: Counts = Counts()


def file_states(results: str) -> dict[str, Any]:
    """Return the state of each existing product, picture and spectrum by its path."""
    kinds = (names.PRODUCTS, names.QUICKLOOKS, names.SPEC3)
    folders = (f"{results}/{kind}" for kind in kinds)
    paths = (f"{folder}/{name}" for folder in folders for name in names_in(folder))
    return {path: state for path in paths if (state := file_state(path))}


def requested_targets(words: Iterable[str]) -> list[str]:
    """Return the targets and result files among the words of a command line."""
    # After the second, "all" is an amount of lines.
    words = [word for before, word in pairwise(["", *words]) if before not in ("-q", "--quiet")]
    files = [word for word in words if word.startswith("results/")]
    return [target for target in TARGETS if target in words] + files or ["all"]


def summarize(
    summary: RunSummary,
    before: Mapping[str, Any],
    failed: Collection[str],
    is_listed: bool,
    classes: Collection[str],
) -> RunSummary:
    """Count what a run made, what it left unchanged, and what is missing.

    Parameters
    ----------
    summary : RunSummary
        How it ended, without counts.
    before : mapping
        Result of `file_states` when the run began: clocks of file systems are coarse, and differ
        from the computer's.
    failed : collection of str
        Paths of files that could not be made.
    is_listed : bool
        Whether the source list, if there is one, is that of this run.
    classes : collection of str
        Classes of the sources whose spectra are requested by the target ``spec3``.
    """
    results = summary.results
    table = f"{results}/{names.SOURCES}"
    now = file_states(results)
    if not (is_listed and os.path.exists(table)):
        folder = f"{results}/{names.PRODUCTS}"
        return summary._replace(unchanged=sum(os.path.dirname(path) == folder for path in now))
    rows = {row["product"]: row for row in read_table(table)}
    products = {name: names.product_path(results, name) for name in rows}
    existing = [name for name, path in products.items() if path in now]
    made = [name for name in existing if now[products[name]] != before.get(products[name])]
    rebuilt = sum(1 for name in made if products[name] in before)
    absent = [name for name in products if products[name] not in now]
    lost = [name for name in absent if products[name] in failed]
    pending = [name for name in absent if name not in lost]
    unused = [bool(row.get("other_kind")) for row in read_table(f"{results}/{names.SKIPPED}")]
    wanted = bool(OF_ALL_PRODUCTS & {*summary.asked}) and summary.ended != COMPLETE
    pictures = {names.quicklook_path(results, name) for name in rows}
    spectra = {names.spectrum_path(results, n, "x1d"): row["class"] for n, row in rows.items()}
    requested = {path for path, class_ in spectra.items() if class_ in classes}

    def count(target: str, paths: Collection[str], requested: set[str]) -> Counts:
        existing = [path for path in paths if path in now]
        earlier = sum(now[path] == before.get(path) for path in existing)
        lost = {path for path in paths if path not in now and path in failed}
        ended_early = target in summary.asked and summary.ended != COMPLETE
        unreached = requested - now.keys() - lost if ended_early else ()
        return Counts(len(existing) - earlier, earlier, len(lost), len(unreached))

    return summary._replace(
        listed=len(products),
        size=sum(now[products[name]][1] for name in existing),
        new=len(made) - rebuilt,
        rebuilt=rebuilt,
        unchanged=len(existing) - len(made),
        failed=lost,
        missing=pending if wanted else (),
        not_asked=0 if wanted else len(pending),
        left_out=len(read_table(f"{results}/{names.LEFT_OUT}")),
        skipped=unused.count(False),
        passed_over=unused.count(True),
        quicklooks=count("quicklook", pictures, pictures),
        spectra=count("spec3", spectra, requested),
    )


def format_summary(summary: RunSummary, notes: Iterable[str] = ()) -> list[str]:
    """Return the last lines of a run, with notes on exposures; the very last are why it failed."""
    reasons = summary.reasons[:MAX_NAMES]
    results = summary.results
    lines = []
    if summary.listed is None:
        existing = f"{pluralize(summary.unchanged, 'product')} of earlier runs"
        lines += [
            f"no sources were listed; {existing} in {results}/{names.PRODUCTS}"
            if summary.unchanged
            else f"no sources are listed in {results} yet, and no products made",
            *notes,
        ]
    else:
        if "all" in summary.asked or summary.new or summary.rebuilt or summary.failed:
            lines.append(_products(summary))
        logs = os.path.join(os.path.dirname(results), "logs", "gather_source")
        lines += [f"  failed: {n} (see {logs}/{n}.log)" for n in summary.failed[:MAX_NAMES]]
        if len(summary.failed) > MAX_NAMES:
            lines.append(f"  and {len(summary.failed) - MAX_NAMES} more")
        lines += filter(None, (_target(target, summary) for target in summary.asked))
        lines += [*notes, *_skipped(results), *_warnings(results)]
    if summary.ended == COMPLETE:
        return [*lines, *_next_step(summary)]
    if len(summary.reasons) > len(reasons):
        lines.append(
            f"{len(reasons)} of {len(summary.reasons)} reasons, all are in "
            f"{results}/{names.SUMMARY}:"
        )
    if summary.ended == INTERRUPTED:
        return [*lines, *reasons, "interrupted; run the same command again to continue"]
    return [*lines, *(reasons or ["failed; run the same command again to make what is missing"])]


def _products(summary: RunSummary) -> str:
    counts = {
        "new": summary.new,
        "rebuilt": summary.rebuilt,
        "unchanged": summary.unchanged,
        "failed": len(summary.failed),
        "not made": len(summary.missing),
        "not requested": summary.not_asked,
        "left out by choice": summary.left_out,
    }
    what = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    listed, existing = summary.listed or 0, summary.new + summary.rebuilt + summary.unchanged
    some = "" if existing == listed else f"{existing} of "
    return (
        f"{some}{pluralize(listed, 'product')} in {summary.results}/{names.PRODUCTS} "
        f"({format_size(summary.size)}), {format_time(summary.seconds)}: {what}"
    )


def _target(target: str, summary: RunSummary) -> str:
    """Return the line on a target other than the products; empty if there is nothing to report."""
    results = summary.results
    if target == "sources":
        left_out = f", {summary.left_out} left out by choice" if summary.left_out else ""
        return f"{pluralize(summary.listed or 0, 'source')} in {results}/{names.SOURCES}{left_out}"
    if target == "quicklook":
        return _files("quick look", "quick looks", summary.quicklooks, names.QUICKLOOKS, summary)
    if target == "spec3":
        line = _files("spectrum", "spectra", summary.spectra, names.SPEC3, summary)
        return "\n".join([line, *_spectra_warnings(results)])
    if target == "verify":
        counts = Counter(result.status for result in current_results(results).values())
        unreadable = f", {counts[UNREADABLE]} that nothing opens" if counts[UNREADABLE] else ""
        proved = f"{counts[OK]} sound, {counts[DAMAGED]} damaged{unreadable}"
        return f"{proved}: {results}/{names.VERIFICATION}" if counts else ""
    files = {"report": names.REPORT, "catalog": names.CATALOG}
    name = files.get(target, target.removeprefix("results/"))
    if target == "all" or summary.ended != COMPLETE or not os.path.exists(f"{results}/{name}"):
        return ""
    drawn = summary.quicklooks.now if target == "report" and "quicklook" not in summary.asked else 0
    note = f" ({pluralize(drawn, 'quick look')} drawn, too)" if drawn else ""
    if summary.spectra.now and "spec3" in summary.asked:
        note += "; run it once more to have the spectra of this run in it"
    return f"{target if target in TARGETS else 'made'}: {results}/{name}{note}"


def _files(one: str, several: str, counts: Counts, folder: str, summary: RunSummary) -> str:
    existing = counts.now + counts.earlier
    total = "" if existing == sum(counts) else f" of {sum(counts)}"
    more = {"of earlier runs": counts.earlier, "failed": counts.failed, "not made": counts.missing}
    what = "".join(f", {count} {name}" for name, count in more.items() if count)
    return (
        f"{existing}{total} {one if sum(counts) == 1 else several} in {summary.results}/{folder}, "
        f"{format_time(summary.seconds)}: {counts.now} made{what}"
    )


def _spectra_warnings(results: str) -> list[str]:
    """Return lines on what tables of spectra lack, from the logs of the jobs that wrote them."""
    folder = os.path.join(os.path.dirname(results), "logs", "combine_grism_spectra")
    families = {row.get("family") for row in read_table(f"{results}/{names.SOURCES}")}
    lines: list[str] = []
    for name in sorted(names_in(folder).intersection(f"{family}.log" for family in families)):
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            lines += [f"  {line.rstrip()}" for line in file if line.startswith("warning: ")]
    return lines


def _skipped(results: str) -> list[str]:
    """Count the files of other kinds, and list the exposures that were skipped."""
    path = f"{results}/{names.SKIPPED}"
    rows = read_table(path)
    lines = [f"{others}; see {path}"] if (others := count_other_kinds(rows)) else []
    if reasons := [row["reason"] for row in rows if not row.get("other_kind")]:
        lines.append(f"{pluralize(len(reasons), 'exposure')} skipped, see {path}:")
        lines += (f"  skipped: {reason}" for reason in reasons[:MAX_NAMES])
    return lines


def _warnings(results: str) -> list[str]:
    """Count the remarks, and list the most serious."""
    path = f"{results}/{names.REMARKS}"
    if not (rows := read_table(path)):
        return []
    warnings = Counter(row["remark"] for row in rows if row["level"] == "warning")
    exposures = {row["exposure"] for row in rows} - {""}
    about = f" on {pluralize(len(exposures), 'exposure')}" if exposures else ""
    lines = [f"{pluralize(len(rows), 'remark')}{about}, see {path}"]
    for remark, count in list(warnings.items())[:MAX_WARNINGS]:
        lines.append(f"  warning: {remark}" + (f" ({count} exposures)" if count > 1 else ""))
    if len(warnings) > MAX_WARNINGS:
        lines.append(f"  and {len(warnings) - MAX_WARNINGS} more warnings")
    return lines


def _next_step(summary: RunSummary) -> list[str]:
    """Return a line on what to do with what was made."""
    if summary.asked == ["sources"] and summary.not_asked:
        return ["next: the same command without 'sources' makes the products"]
    if summary.asked == ["all"] and (summary.new or summary.rebuilt):
        return ["next: the target 'report' makes a page on the sources, 'verify' checks products"]
    return []
