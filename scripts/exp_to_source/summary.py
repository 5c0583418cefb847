"""How a run ended, in a few lines."""

import csv
import os
from typing import Any

from .files import file_state
from .tables import read_products

#: How many names a summary lists.
MAX_NAMES = 10


def product_states(results: str) -> dict[str, Any]:
    """State of each file of the products that are there, for `summarise`."""
    folder = os.path.join(results, "products")
    names = os.listdir(folder) if os.path.isdir(folder) else ()
    states = {name: file_state(os.path.join(folder, name)) for name in names}
    return {name: state for name, state in states.items() if state}


def summarise(results: str, before: dict[str, Any], failed: bool) -> list[str]:
    """Tell what a run made, what it left alone, and what is missing.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    before : dict
        What `product_states` gave when the run began: clocks of file systems are coarse, and not
        the computer's.
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
    products = {name: f"{name}_cal.fits" for name in read_products(table)}
    now = product_states(results)
    missing = [
        name
        for name, file in products.items()
        if file not in now or (failed and _is_out_of_date(results, name))
    ]
    made = sum(1 for file in products.values() if file in now and now[file] != before.get(file))
    unchanged = len(products) - made - len(missing)
    lines = [
        f"{len(products)} products in {results}/products: {made} made, {unchanged} unchanged, "
        f"{len(missing)} {'missing or out of date' if failed else 'not asked for'}"
    ]
    if failed and missing:
        logs = os.path.join(os.path.dirname(results), "logs", "gather_source")
        for name in missing[:MAX_NAMES]:
            lines.append(f"  missing: {name} (see {logs}/{name}.log)")
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


def _is_out_of_date(results: str, name: str) -> bool:
    """Whether a product is older than its manifest."""
    product = os.path.join(results, "products", f"{name}_cal.fits")
    manifest = os.path.join(results, "manifests", f"{name}.json")
    try:
        return os.stat(product).st_mtime < os.stat(manifest).st_mtime
    except FileNotFoundError:
        return False
