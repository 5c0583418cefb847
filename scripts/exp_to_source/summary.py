"""How a run ended, in a few lines."""

import csv
import os

from .tables import read_products

#: How many names a summary lists.
MAX_NAMES = 10


def summarise(results: str, start: float, failed: bool) -> list[str]:
    """Tell what a run made, what it left alone, and what is missing.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    start : float
        When the run began, in seconds since the epoch.
    failed : bool
        Whether something could not be made. Otherwise all that was asked for is there, though
        other products may not be, or be older than a manifest that was restored.

    Returns
    -------
    list of str
        Lines for the user.
    """
    table = os.path.join(results, "sources.tsv")
    if not os.path.exists(table):
        return [
            "no source list: an exposure could not be indexed, or sources contradict each other"
        ]
    products = read_products(table)
    times = {
        name: _time(os.path.join(results, "products", f"{name}_cal.fits")) for name in products
    }
    made = sum(1 for time in times.values() if time and time >= start)
    missing = [
        name
        for name, time in times.items()
        if time is None
        or (failed and time < (_time(os.path.join(results, "manifests", f"{name}.json")) or 0))
    ]
    unchanged = len(products) - made - len(missing)
    lines = [
        f"{len(products)} products in {results}/products: {made} made, {unchanged} unchanged, "
        f"{len(missing)} {'missing or out of date' if failed else 'not asked for'}"
    ]
    if failed and missing:
        for name in missing[:MAX_NAMES]:
            lines.append(f"  missing: {name} (see logs/gather_source/{name}.log)")
        lines.append("  run the same command again to make just what is missing")
    lines += skipped_exposures(results)
    return lines


def skipped_exposures(results: str) -> list[str]:
    """Tell which exposures were left out."""
    path = os.path.join(results, "skipped.tsv")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
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
