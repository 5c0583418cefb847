"""The summary of a run, in a few lines."""

import os
from collections import Counter
from typing import Any

from ..errors import counted
from ..files import file_state, names_in
from ..formats.previous import LONG_AGO
from ..results import (
    CAL,
    LEFT_OUT,
    PREVIOUS,
    PRODUCTS,
    PROOF,
    REMARKS,
    SKIPPED,
    SOURCES,
    manifest_path,
    product_path,
)
from ..tables import read_products, read_table
from .progress import format_time

#: Maximum number of names in a summary.
MAX_NAMES = 10

#: Maximum number of warnings.
MAX_WARNINGS = 5


def product_states(results: str) -> dict[str, Any]:
    """State of each existing product file, for `summarise`."""
    folder = os.path.join(results, PRODUCTS)
    names = os.listdir(folder) if os.path.isdir(folder) else ()
    states = {name: file_state(os.path.join(folder, name)) for name in names}
    return {name: state for name, state in states.items() if state}


def summarise(results: str, before: dict[str, Any], failed: bool, seconds: float) -> list[str]:
    """Summarise what a run made, what it left unchanged, and what is missing.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    before : dict
        Result of `product_states` when the run began: clocks of file systems are coarse, and differ
        from the computer's.
    failed : bool
        Whether something could not be made. Otherwise all targets exist, though other products may
        be missing, or older than a manifest that was restored.
    seconds : float
        Duration of the run.

    Returns
    -------
    list of str
        Lines for the user.
    """
    table = os.path.join(results, SOURCES)
    if not os.path.exists(table):
        return [
            "no source list: an exposure could not be indexed, sources contradict each other, or "
            "a choice or join matches nothing; the log above says which"
        ]
    products = {name: f"{name}{CAL}" for name in read_products(table)}
    now = product_states(results)
    missing = {
        name: None
        for name, file in products.items()
        if file not in now
        # As set by the source list for products that must be made again.
        or now[file][-1] == LONG_AGO * 10**9
        or (failed and _is_out_of_date(results, name))
    }
    made = [
        file
        for name, file in products.items()
        if name not in missing and file in now and now[file] != before.get(file)
    ]
    rebuilt = sum(1 for file in made if file in before)
    counts = {
        "new": len(made) - rebuilt,
        "rebuilt": rebuilt,
        "unchanged": len(products) - len(made) - len(missing),
        "failed or out of date" if failed else "not asked for": len(missing),
        "left out by choice": len(read_table(os.path.join(results, LEFT_OUT))),
    }
    told = ", ".join(
        f"{count} {what}" for what, count in counts.items() if count or what in ("new", "unchanged")
    )
    lines = [
        f"{len(products)} products in {results}/{PRODUCTS} after {format_time(seconds)}: {told}"
    ]
    if failed and missing:
        logs = os.path.join(os.path.dirname(results), "logs", "gather_source")
        for name in list(missing)[:MAX_NAMES]:
            lines.append(f"  missing: {name} (see {logs}/{name}.log)")
        if len(missing) > MAX_NAMES:
            lines.append(f"  and {len(missing) - MAX_NAMES} more")
        if kept := names_in(os.path.join(results, PREVIOUS)):
            lines.append(f"  {len(kept)} older products stay in {results}/{PREVIOUS} until then")
        lines.append("  run the same command again to make just what is missing")
    lines += [*skipped_exposures(results), *remarks(results)]
    if made and not failed and not _is_proved(results, made):
        lines.append("to verify the products, run the same command with: verify")
    return lines


def _is_proved(results: str, made: list[str]) -> bool:
    """Whether products were verified after they were made."""
    table = os.path.join(results, PROOF)
    if not os.path.exists(table):
        return False
    verified = os.stat(table).st_mtime
    paths = (os.path.join(results, PRODUCTS, file) for file in made)
    return all(os.stat(path).st_mtime <= verified for path in paths)


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
