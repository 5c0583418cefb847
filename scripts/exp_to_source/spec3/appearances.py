"""Sources of a family, as the pipeline meets them in the exposures."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import InputError
from ..formats.indices import IndexReader
from ..formats.manifests import read_manifest
from ..formats.summaries import read_summaries
from ..results import manifest_path


class Appearances(NamedTuple):
    """How the sources of a family appear in its exposures.

    Attributes
    ----------
    products : list of str
        The products, in the order in which their sources appear.
    first : tuple of (str, int)
        Product and entry of the first slit of all.
    footprints : list of str
        S_REGION of each exposure that has any of the sources; empty if it has none.
    """

    products: list[str]
    first: tuple[str, int]
    footprints: list[str]


def first_appearances(results: str, names: Iterable[str], indices: Sequence[Path]) -> Appearances:
    """Order sources as Spec3Pipeline meets them: exposure by exposure, slit by slit."""
    entries = {
        slit: (name, entry)
        for name in names
        for entry, slit in enumerate(read_manifest(manifest_path(results, name)).slits)
    }
    appearances: list[tuple[str, int]] = []
    footprints = []
    for index in indices:
        with IndexReader(str(index)) as reader:
            slits = [(index.stem, head.digest) for head in read_summaries(reader)]
            if present := [entries[slit] for slit in slits if slit in entries]:
                appearances += present
                footprints.append(reader.exposure["s_region"])
    products = list(dict.fromkeys(product for product, _ in appearances))
    return Appearances(products, appearances[0], footprints)


def refuse_same_ids(path: str, ids: Iterable[int], owners: dict[int, str]) -> None:
    """Refuse sources that a table cannot tell apart: its rows have SOURCEIDs, not names."""
    for number in map(int, ids):
        other = owners.setdefault(number, path)
        if other != path:
            raise InputError(
                f"{other} and {path} both have SOURCEID {number}, by which rows of a table are "
                "told apart; give the slits of one of them an id of its own, or other products"
            )
