"""Which source is in which exposure, and where it is absent though it could have been there."""

import csv
from collections import Counter
from collections.abc import Sequence
from itertools import count, groupby
from typing import NamedTuple

from ..results import EXPOSURES
from .exposures import ExposureSummary

#: Letters of the map: the number of slits, up to nine, or one of these. A source is absent from an
#: exposure if other exposures of the same setting have it.
ABSENT, ELSEWHERE = "-", "."


class Coverage(NamedTuple):
    """Exposures and slits of the entries of a product."""

    letters: str  #: for each exposure: the number of slits (9 for more), `ABSENT` or `ELSEWHERE`
    #: For each entry: number of its exposure, -1 if it is none of the run; SLTNAME, SHUTSTA.
    entries: list[tuple[int, str, str]]


def read_coverage(results: str, exposures: Sequence[ExposureSummary]) -> dict[str, Coverage]:
    """Map the entries of products, of which the list of sources wrote a table, to exposures."""
    numbers = {exposure.name: number for number, exposure in enumerate(exposures)}
    settings = [exposure.setting for exposure in exposures]
    coverage = {}
    with open(f"{results}/{EXPOSURES}", encoding="utf-8", newline="") as file:
        table = csv.DictReader(file, delimiter="\t")
        for product, rows in groupby(table, lambda row: row["product"]):
            entries = [
                (numbers.get(row["exposure"], -1), row["slit_name"], row["shutter_state"])
                for row in rows
            ]
            counts = Counter(number for number, *_ in entries)
            present = {setting for number, setting in enumerate(settings) if counts[number]}
            without = [ABSENT if setting in present else ELSEWHERE for setting in settings]
            letters = (str(min(counts[n], 9)) if counts[n] else w for n, w in enumerate(without))
            coverage[product] = Coverage("".join(letters), entries)
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
