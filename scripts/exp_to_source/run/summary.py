"""The facts about a run that has ended: what was asked for, and how it went.

`outcome` finds them, `write_summary` keeps them for machines, and `ending` puts them into words.
"""

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .. import FORMAT, __version__
from ..files import atomic_write, date_now, file_state, names_in, write_all
from ..results import (
    LEFT_OUT,
    PRODUCTS,
    QUICKLOOKS,
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

#: Targets of a run besides files, in the order in which the end of a run speaks of them.
TARGETS = ("all", "sources", "quicklook", "verify", "report", "spec3")

#: Targets that ask for all products.
OF_ALL_PRODUCTS = {"all", "quicklook", "verify", "report"}

#: How a run ended.
COMPLETE, FAILED, INTERRUPTED = "complete", "failed", "interrupted"


class Made(NamedTuple):
    """Numbers of files of a kind: made by the run, and there from earlier runs."""

    now: int = 0
    earlier: int = 0


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
        Number of products in the source list; None if this run has none.
    size : int
        Bytes of the planes of these products that exist, as in the source list.
    new, rebuilt, unchanged : int
        Products that did not exist before the run; that did; that were up to date. Without a
        source list, all that exist are unchanged.
    failed : list of str
        Products that could not be made.
    missing : list of str
        Products that were asked for, but not made as the run ended before.
    not_asked : int
        Products that are missing or out of date, and were not asked for.
    left_out : int
        Sources that the settings leave out.
    skipped : int
        Exposures that were skipped, as they are damaged.
    passed_over : int
        Files of other kinds that were found among the exposures.
    quicklooks, spectra : Made
        Of these products.
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
    passed_over: int = 0
    quicklooks: Made = Made()
    spectra: Made = Made()


def file_states(results: str) -> dict[str, Any]:
    """State of each existing product, picture and spectrum by its path, for `outcome`."""
    folders = (f"{results}/{folder}" for folder in (PRODUCTS, QUICKLOOKS, SPEC3))
    paths = (f"{folder}/{name}" for folder in folders for name in names_in(folder))
    return {path: state for path in paths if (state := file_state(path))}


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
    is_listed: bool = True,
) -> Outcome:
    """Find what a run made, what it left unchanged, and what is missing.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    before : dict
        Result of `file_states` when the run began: clocks of file systems are coarse, and differ
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
    is_listed : bool
        Whether the source list, if there is one, is that of this run.
    """
    facts = Outcome(os.path.abspath(results), asked, ended, list(dict.fromkeys(reasons)), seconds)
    table = os.path.join(results, SOURCES)
    now = file_states(results)
    if not (is_listed and os.path.exists(table)):
        folder = os.path.join(results, PRODUCTS)
        return facts._replace(unchanged=sum(os.path.dirname(path) == folder for path in now))
    products = {name: product_path(results, name) for name in read_products(table)}
    sizes = {row["product"]: int(row.get("bytes") or 0) for row in read_table(table)}
    absent = [
        name
        for name, file in products.items()
        if file not in now or (ended != COMPLETE and _is_out_of_date(results, name))
    ]
    there = products.keys() - set(absent)
    made = [name for name in there if now[products[name]] != before.get(products[name])]
    rebuilt = sum(1 for name in made if products[name] in before)
    unmade = {os.path.basename(path) for path in failed}
    lost = [name for name in absent if os.path.basename(products[name]) in unmade]
    rest = [name for name in absent if os.path.basename(products[name]) not in unmade]
    unused = [bool(row.get("other_kind")) for row in read_table(os.path.join(results, SKIPPED))]
    wanted = bool(OF_ALL_PRODUCTS & {*asked}) and ended != COMPLETE
    return facts._replace(
        listed=len(products),
        size=sum(sizes[name] for name, file in products.items() if file in now),
        new=len(made) - rebuilt,
        rebuilt=rebuilt,
        unchanged=len(there) - len(made),
        failed=lost,
        missing=rest if wanted else (),
        not_asked=0 if wanted else len(rest),
        left_out=len(read_table(os.path.join(results, LEFT_OUT))),
        skipped=unused.count(False),
        passed_over=unused.count(True),
        quicklooks=_made((quicklook_path(results, name) for name in products), before, now),
        spectra=_made((spectrum_path(results, name, "x1d") for name in products), before, now),
    )


def _made(paths: Iterable[str], before: Mapping[str, Any], now: Mapping[str, Any]) -> Made:
    """Count files that a run made, and those that were there."""
    there = [path for path in paths if path in now]
    earlier = sum(1 for path in there if now[path] == before.get(path))
    return Made(len(there) - earlier, earlier)


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
        "quicklooks": facts.quicklooks._asdict(),
        "spectra": facts.spectra._asdict(),
        "settings": settings,
        "versions": versions,
    }
    with atomic_write(os.path.join(facts.results, SUMMARY)) as file:
        write_all(file, f"{json.dumps(content, indent=1, default=str)}\n".encode())


def _is_out_of_date(results: str, name: str) -> bool:
    """Whether a product is older than its manifest."""
    product = product_path(results, name)
    manifest = manifest_path(results, name)
    try:
        return os.stat(product).st_mtime < os.stat(manifest).st_mtime
    except FileNotFoundError:
        return False
