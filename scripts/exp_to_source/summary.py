"""How a run ended, in a few lines."""

import os
from collections.abc import Collection
from typing import NamedTuple

from .progress import format_time
from .tables import read_products, read_table

#: How many names a summary lists.
MAX_NAMES = 10


class Start(NamedTuple):
    """What there was when a run began: the time (seconds since the epoch), products by name."""

    time: float
    products: Collection[str]


def look_around(results: str, time: float) -> Start:
    """Take note of what there is before a run makes anything.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    time : float
        When the run began, in seconds since the epoch.
    """
    folder = os.path.join(results, "products")
    names = os.listdir(folder) if os.path.isdir(folder) else ()
    return Start(time, {name.removesuffix("_cal.fits") for name in names})


def summarise(results: str, start: Start, failed: bool, now: float) -> list[str]:
    """Tell what a run made, what it left alone, and what is missing.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    start : Start
        What there was when the run began.
    failed : bool
        Whether something could not be made. Otherwise all that was asked for is there, though
        other products may not be, or be older than a manifest that was restored.
    now : float
        The time, in seconds since the epoch.

    Returns
    -------
    list of str
        Lines for the user.
    """
    table = os.path.join(results, "sources.tsv")
    if not os.path.exists(table):
        return [
            "no source list: an exposure could not be indexed, sources contradict each other, or "
            "a choice or join matches nothing; the log above says which"
        ]
    products = read_products(table)
    times = {
        name: _time(os.path.join(results, "products", f"{name}_cal.fits")) for name in products
    }
    made = [name for name, time in times.items() if time and time >= start.time]
    rebuilt = sum(1 for name in made if name in start.products)
    missing = [
        name
        for name, time in times.items()
        if time is None
        or (failed and time < (_time(os.path.join(results, "manifests", f"{name}.json")) or 0))
    ]
    counts = {
        "new": len(made) - rebuilt,
        "rebuilt": rebuilt,
        "unchanged": len(products) - len(made) - len(missing),
        "failed or out of date" if failed else "not asked for": len(missing),
        "left out by choice": len(read_table(os.path.join(results, "left_out.tsv"))),
    }
    told = ", ".join(
        f"{count} {what}" for what, count in counts.items() if count or what in ("new", "unchanged")
    )
    lines = [
        f"{len(products)} products in {results}/products after {format_time(now - start.time)}: "
        f"{told}"
    ]
    if failed and missing:
        for name in missing[:MAX_NAMES]:
            lines.append(f"  missing: {name} (see logs/gather_source/{name}.log)")
        if len(missing) > MAX_NAMES:
            lines.append(f"  and {len(missing) - MAX_NAMES} more")
        lines.append("  run the same command again to make just what is missing")
    lines += skipped_exposures(results)
    return lines


def skipped_exposures(results: str) -> list[str]:
    """Tell which exposures were left out."""
    path = os.path.join(results, "skipped.tsv")
    if not (rows := read_table(path)):
        return []
    return [
        f"{len(rows)} exposures skipped, see {path}:",
        *(f"  skipped: {row['reason']}" for row in rows[:MAX_NAMES]),
    ]


def _time(path: str) -> float | None:
    """Modification time of a file, None where there is none."""
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return None
