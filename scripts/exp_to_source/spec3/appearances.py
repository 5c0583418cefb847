"""Sources of a family, as the pipeline meets them in the exposures."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import InputError
from ..formats.heads import read_heads
from ..formats.indices import IndexReader
from ..formats.manifests import read_manifest
from ..results import manifest_path


class Place(NamedTuple):
    """An entry of a product: that of the first slit of an exposure."""

    product: str
    entry: int


def first_appearances(
    results: str, names: Iterable[str], indices: Sequence[Path]
) -> tuple[list[str], list[Place]]:
    """Order sources as Spec3Pipeline meets them: exposure by exposure, slit by slit.

    Returns
    -------
    order : list of str
        The products.
    places : list of Place
        For each exposure, where its first slit is that a product has.
    """
    where = {
        slit: Place(name, entry)
        for name in names
        for entry, slit in enumerate(read_manifest(manifest_path(results, name)).slits)
    }
    order: dict[str, None] = {}
    places = []
    for index in indices:
        with IndexReader(str(index)) as reader:
            met = [where.get((index.stem, head.digest)) for head in read_heads(reader)]
        found = [place for place in met if place]
        order.update(dict.fromkeys(place.product for place in found))
        places += found[:1]
    return list(order), places


def refuse_same_ids(path: str, ids: Iterable[int], owners: dict[int, str]) -> None:
    """Refuse sources that a table cannot tell apart: its rows have SOURCEIDs, not names."""
    for number in map(int, ids):
        other = owners.setdefault(number, path)
        if other != path:
            raise InputError(
                f"{other} and {path} both have SOURCEID {number}, by which rows of a table are "
                "told apart; give the slits of one of them an id of its own, or other products"
            )
