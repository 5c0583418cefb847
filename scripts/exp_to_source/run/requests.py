"""Requests of a run, in files named after their content: ``<what>-<digest>.txt``.

Beside the request for the sources, ``<what>-<digest>.answered`` says that they are listed.
"""

import glob
import os
from collections.abc import Iterable

from ..errors import InputError
from ..files import atomic_write, write_all
from ..results import REQUESTS, index_name
from ..sources.associations import Association


def request_text(
    names: Iterable[str],
    associations: Iterable[Association],
    options: Iterable[str],
    index_folder: str,
) -> str:
    """Options of ``list_sources.py`` for a run, one per line.

    As a file, it also shows a run that its exposures, or the way to group them, differ from those
    of the last run.
    """
    lines = list(options)
    lines += (f"--association={association.path}" for association in associations)
    lines += (f"{index_folder}/{index_name(name)}" for name in names)
    return "".join(f"{text}\n" for text in lines)


def answer_path(request: str) -> str:
    """Path of the file that says that a request for the sources was answered."""
    return f"{os.path.splitext(request)[0]}.answered"


def find_request(results: str, what: str) -> str:
    """Path of a request; the newest if a killed run left several.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    what : str
        ``sources``: options of ``list_sources.py``; ``report``: configuration, as JSON.

    Raises
    ------
    InputError
        If there is no request.
    """
    folder = os.path.join(results, REQUESTS)
    found = glob.glob(os.path.join(glob.escape(folder), f"{what}-*.txt"))
    if not found:
        raise InputError(f"{folder}: has no request for {what}; run the workflow first")
    return max(found, key=os.path.getmtime)


def write_request(path: str, text: str) -> None:
    """Write a request, and remove those of other runs for the same.

    A request that comes back is then written again, and is newer than files made in between.
    """
    with atomic_write(path) as file:
        write_all(file, text.encode())
    folder, name = os.path.split(path)
    stem, _ = os.path.splitext(name)
    what, _, _ = name.rpartition("-")
    for other in glob.glob(os.path.join(glob.escape(folder), f"{what}-*")):
        if not os.path.basename(other).startswith(stem):
            os.unlink(other)
