"""What has to be made again though times of files do not tell.

Everything here only looks: a workflow asks while it is parsed, when another run may be at work.
Each function gives a word that stands for the state that it found, nothing where all is well.
"""

import hashlib
import os
import time
from collections.abc import Iterable

from .files import file_state, names_in
from .index import change_note, is_outdated
from .tables import read_products


def state_of_index(index: str, exposure: str) -> str:
    """Look for an index that is not of the file that its exposure is now.

    Either size and time tell it, or a product could not be made of it, which left a note.

    Parameters
    ----------
    index : str
        Where there is none, it is not outdated but missing.
    exposure : str
        The file that the exposure is now.
    """
    if os.path.exists(index) and (
        is_outdated(index, exposure) or os.path.exists(change_note(index))
    ):
        return _word(file_state(index), file_state(exposure))
    return ""


def state_of_table(table: str, request: str, indices: Iterable[str]) -> str:
    """Look for a source list that does not stand for what it should.

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
    state = file_state(table)
    if state is None:
        return ""
    results = os.path.dirname(table)
    wanted = {
        os.path.join(results, "manifests"): {f"{name}.json" for name in read_products(table)},
        results: {f"{os.path.basename(table).removesuffix('.tsv')}.ecsv"},
        os.path.dirname(request): {os.path.basename(request)},
    }
    for index in indices:
        wanted.setdefault(os.path.dirname(index), set()).add(os.path.basename(index))
    lost = sorted(name for folder in wanted for name in wanted[folder] - names_in(folder))
    return _word(state, lost) if lost or state[-1] > time.time_ns() else ""


def state_of_product(product: str) -> str:
    """Look for an empty product, which a job left that must not fail (see `failures`)."""
    state = file_state(product)
    return _word(state) if state and state[1] == 0 else ""


def _word(*states: object) -> str:
    return hashlib.sha256(repr(states).encode()).hexdigest()[:16]
