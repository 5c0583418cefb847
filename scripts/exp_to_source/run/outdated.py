"""What has to be made again though times of files do not tell.

Everything here only looks: a workflow asks while it is parsed, when another run may be at work.
"""

import os
from collections.abc import Iterable

from ..files import is_in_future, names_in
from ..formats.indices import change_note, is_outdated
from ..tables import read_products


def is_index_outdated(index: str, exposure: str) -> bool:
    """Whether an index is there and not of the file that its exposure is now.

    Either size and time tell it, or a product could not be made of it, which left a note.

    Parameters
    ----------
    index : str
        Path of the index.
    exposure : str
        The file that the exposure is now.
    """
    return os.path.exists(index) and (
        is_outdated(index, exposure) or os.path.exists(change_note(index))
    )


def is_list_outdated(table: str, request: str, indices: Iterable[str]) -> bool:
    """Whether a source list is there and does not stand for what it should.

    Products depend on their manifests alone, but are made with the indices too. A list that is
    dated in the future never looks older than what it is made of.

    Parameters
    ----------
    table : str
        The source list; its manifests are beside it.
    request : str
        The request that it should answer.
    indices : iterable of str
        Indices of all exposures.
    """
    if not os.path.exists(table):
        return False
    results = os.path.dirname(table)
    manifests = {f"{name}.json" for name in read_products(table)}
    return (
        is_in_future(table)
        or not all(map(os.path.exists, (f"{table.removesuffix('.tsv')}.ecsv", request, *indices)))
        or bool(manifests - names_in(os.path.join(results, "manifests")))
    )


def is_empty(product: str) -> bool:
    """Whether a product is what a job left that must not fail (see `failures`)."""
    return os.path.exists(product) and os.path.getsize(product) == 0
