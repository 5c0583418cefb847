"""Which source is in which exposure, and where it is absent though it could have been there."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import InputError
from ..formats.indices import IndexReader
from ..formats.manifests import read_manifest
from ..formats.summaries import read_summaries
from ..naming import optical_elements
from ..results import INDICES, manifest_name

#: Letters of the map: the number of slits, up to nine, or one of these. A source is absent from an
#: exposure if other exposures of the same setting have it.
ABSENT, ELSEWHERE = "-", "."


class Exposure(NamedTuple):
    """An exposure in the report.

    Attributes
    ----------
    name : str
        Its name.
    setting : str
        Program, observation, detector and optical elements, from its headers.
    version : str
        Version of the pipeline that calibrated it (CAL_VER), or ``unknown``.
    sizes : list of int
        Bytes of the planes of each of its slits.
    path : str
        Its file.
    """

    name: str
    setting: str
    version: str
    sizes: list[int]
    path: str = ""


def read_exposures(request: str, results: str) -> list[Exposure]:
    """Read the exposures of a run from their indices, without skipped ones.

    Parameters
    ----------
    request : str
        File that lists the indices, among options of ``list_sources.py``.
    results : str
        Folder of the run's results.

    Returns
    -------
    list of Exposure
        Sorted by setting; those of a setting in the order of the run.

    Raises
    ------
    InputError
        If there is no request, or an index is missing or damaged.
    """
    try:
        with open(request, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        raise InputError(f"{request}: no such file; run the workflow first") from None
    exposures = []
    for line in lines:
        if not line.startswith("--"):
            path = os.path.join(results, INDICES, os.path.basename(line))
            with IndexReader(path) as index:
                if "failure" not in index.exposure:
                    sizes = [head.size for head in read_summaries(index)]
                    about = index.exposure
                    version = about["version"] or "unknown"
                    exposures.append(
                        Exposure(about["exposure"], setting(about), version, sizes, about["path"])
                    )
    return sorted(exposures, key=lambda exposure: exposure.setting)


def setting(exposure: Mapping[str, str]) -> str:
    """Name the setting of an exposure: exposures of one setting may have the same sources."""
    optics = optical_elements(*(exposure[key] for key in ("filter", "grating", "pupil")))
    where = [f"{exposure['program'] or '?'}-o{exposure['observation'] or '?'}"]
    subarray = exposure["subarray"]
    if subarray.upper() not in ("", "FULL", "N/A", "NONE"):
        where.append(subarray.lower())
    detector = exposure["detector"] or exposure["instrument"] or "?"
    return " ".join([detector.lower(), optics, *where])


class Coverage(NamedTuple):
    """Where the slits of a product are.

    Attributes
    ----------
    letters : str
        A letter for each exposure: the number of slits (``9`` for more), `ABSENT` or `ELSEWHERE`.
    entries : list of int
        Number of the exposure of each of its entries; -1 if it is none of the run.
    """

    letters: str
    entries: list[int]


def read_coverage(
    products: Iterable[str], exposures: list[Exposure], manifests: str
) -> dict[str, Coverage]:
    """Map the slits of products on exposures.

    Parameters
    ----------
    products : iterable of str
        Names of the products.
    exposures : list of Exposure
        The exposures, in the order of the map.
    manifests : str
        Folder of the products' manifests.

    Returns
    -------
    dict
        Product to its coverage.
    """
    places = {exposure.name: place for place, exposure in enumerate(exposures)}
    settings = [exposure.setting for exposure in exposures]
    coverage = {}
    for product in products:
        slits = read_manifest(os.path.join(manifests, manifest_name(product))).slits
        entries = [places.get(exposure, -1) for exposure, _ in slits]
        found = Counter(entries)
        counts = [found[place] for place in range(len(exposures))]
        own = {setting for setting, count in zip(settings, counts, strict=True) if count}
        letters = "".join(
            str(min(count, 9)) if count else ABSENT if setting in own else ELSEWHERE
            for setting, count in zip(settings, counts, strict=True)
        )
        coverage[product] = Coverage(letters, entries)
    return coverage


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of a histogram: from `low` up to, but without, `high`."""

    low: int
    high: int
    count: int


def histogram(values: list[int], bins: int = 24) -> list[Bin]:
    """Count whole numbers in bins of a round width.

    Parameters
    ----------
    values : list of int
        Numbers, none of them negative.
    bins : int
        Approximate maximum number of bins.

    Returns
    -------
    list of Bin
        From the smallest value to the largest; none if there are no values.
    """
    if not values:
        return []
    step = round_step((max(values) - min(values)) / bins)
    first = min(values) // step
    counts = [0] * (max(values) // step - first + 1)
    for value in values:
        counts[value // step - first] += 1
    return [Bin((first + n) * step, (first + n + 1) * step, c) for n, c in enumerate(counts)]


def round_step(least: float) -> int:
    """Smallest of 1, 2, 5, 10, 20, 50 ... that is not less than `least`."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= least:
                return factor * power
        power *= 10
