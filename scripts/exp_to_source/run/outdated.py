"""Files that must be made again although their times do not show it.

Everything here is read-only: it runs while a workflow is parsed, when another run may be active.
"""

import json
import os
from collections.abc import Iterable

from ..files import file_state, names_in, size_and_mtime
from ..formats.indices import is_outdated, is_stale, kind_passed_over
from ..results import LEFT_OUT, MANIFESTS, ecsv_path, manifest_name
from ..tables import read_products, read_table
from .requests import answer_path


def is_index_outdated(index: str, exposure: str, is_named: bool = False) -> bool:
    """Whether an index exists and belongs to another file than the current exposure.

    A file that was passed over is indexed again once it is named, as it is an error then.

    Parameters
    ----------
    index : str
        Path of the index.
    exposure : str
        The file that the exposure is now.
    is_named : bool
        Whether the user names it; otherwise it was found.
    """
    return os.path.exists(index) and (
        is_outdated(index, exposure) or (is_named and bool(kind_passed_over(index)))
    )


def is_prepared_outdated(index: str, prepared: str) -> bool:
    """Whether an index exists, but not the prepared exposure that was indexed.

    It is a file of the run: if it was removed or damaged, it is made again.
    """
    return os.path.exists(index) and (not os.path.exists(prepared) or is_stale(index, prepared))


def is_list_outdated(table: str, request: str, indices: Iterable[str]) -> bool:
    """Whether a source list exists and does not answer its request.

    Products depend on their manifests alone, but are also made from the indices. A list that
    was brought back, as the run that was to make a new one failed, has no answer.

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
    listed = set(map(manifest_name, read_products(table)))
    there = names_in(os.path.join(results, MANIFESTS))
    if listed - there:
        return True
    # Manifests of sources that were not chosen stay.
    if more := there - listed:
        left_out = read_table(f"{results}/{LEFT_OUT}")
        more -= {manifest_name(row.get("product", "")) for row in left_out}
    needed = (ecsv_path(table), request, answer_path(request), *indices)
    return bool(more) or not all(map(os.path.exists, needed))


def is_absent_or_older(file: str, sources: Iterable[str]) -> bool:
    """Whether a file is absent, or older than one of those that it is made of.

    Sources that cannot be seen from here do not count: they may be in remote storage, and missing
    files of our own are found otherwise.
    """
    made = file_state(file)
    return made is None or any(state[-1] > made[-1] for state in map(file_state, sources) if state)


def is_fingerprint_outdated(fingerprints: str, exposure: str) -> bool:
    """Whether fingerprints exist and belong to another file than the current exposure.

    Parameters
    ----------
    fingerprints : str
        Path of the fingerprints, whose first line begins with size and time of the exposure.
    exposure : str
        The file that the exposure is now.
    """
    try:
        with open(fingerprints, "rb") as file:
            first = file.read(100)
        now = size_and_mtime(exposure)
    except OSError:
        return False
    return not first.startswith(json.dumps(now)[:-1].encode() + b",")


def is_survey_outdated(survey: str, members: Iterable[str]) -> bool:
    """Whether a survey exists and is of other files than those that its association has now.

    Parameters
    ----------
    survey : str
        What the exposures of an association have in common; it has size and time of each.
    members : iterable of str
        The association and its members.
    """
    try:
        with open(survey, encoding="utf-8") as file:
            found = json.load(file)["members"]
        return bool(found != {path: size_and_mtime(path) for path in members})
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError):
        return True


def changed_since(start: float, index: str, exposure: str) -> bool:
    """Whether an exposure changed after it was indexed, and after a time (seconds)."""
    try:
        status = os.stat(exposure)
    except OSError:
        return False
    # The change time, as users can set the modification time, even in the future.
    return status.st_ctime >= start and is_stale(index, exposure)


def is_empty(product: str) -> bool:
    """Whether a product is the empty file of a job that must not fail (see `failures`)."""
    return os.path.exists(product) and os.path.getsize(product) == 0
