"""Which source is in which exposure, and where it is absent though it could have been there."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count
from typing import NamedTuple

from ..formats.manifests import read_manifest
from ..results import manifest_path
from .exposures import ExposureSummary

#: Letters of the map: the number of slits, up to nine, or one of these. A source is absent from an
#: exposure if other exposures of the same setting have it.
ABSENT, ELSEWHERE = "-", "."


class Coverage(NamedTuple):
    """Exposures of the slits of a product."""

    letters: str  #: for each exposure: the number of slits (9 for more), `ABSENT` or `ELSEWHERE`
    entries: list[int]  #: number of the exposure of each entry; -1 if it is none of the run


def read_coverage(
    products: Iterable[str], exposures: Sequence[ExposureSummary], results: str
) -> dict[str, Coverage]:
    """Map the slits of products, which their manifests list, to exposures in their order."""
    numbers = {exposure.name: number for number, exposure in enumerate(exposures)}
    settings = [exposure.setting for exposure in exposures]
    coverage = {}
    for product in products:
        slits = read_manifest(manifest_path(results, product)).slits
        entries = [numbers.get(exposure, -1) for exposure, _ in slits]
        counts = Counter(entries)
        present = {setting for number, setting in enumerate(settings) if counts[number]}
        without = [ABSENT if setting in present else ELSEWHERE for setting in settings]
        letters = "".join(str(min(counts[n], 9)) if counts[n] else w for n, w in enumerate(without))
        coverage[product] = Coverage(letters, entries)
    return coverage


class Bin(NamedTuple):
    """A bar of a histogram: from `low` up to, but without, `high`."""

    low: int
    high: int
    number: int


def compute_histogram(values: Sequence[int], bins: int = 24) -> list[Bin]:
    """Count whole numbers, none of them negative, in about `bins` bins of a round width."""
    if not values:
        return []
    step = round_up((max(values) - min(values)) / bins)
    counts = Counter(value // step for value in values)
    return [Bin(n * step, (n + 1) * step, counts[n]) for n in range(min(counts), max(counts) + 1)]


def round_up(number: float) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, 50 ... that is not less than a number."""
    steps = (factor * int(10**power) for power in count() for factor in (1, 2, 5))
    return next(step for step in steps if step >= number)
