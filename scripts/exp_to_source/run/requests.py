"""Requests of a run, in files named after their content: ``<what>-<digest>.txt``.

Beside the request for the sources, ``<what>-<digest>.answered`` says that they are listed; beside
that for spectra, ``<what>-<digest>.json`` has the parameters, checked.
"""

import glob
import os

from ..errors import InputError
from ..files import replacing, write_all
from ..results import REQUESTS


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
    with replacing(path) as file:
        write_all(file, text.encode())
    folder, name = os.path.split(path)
    stem, _ = os.path.splitext(name)
    what, _, _ = name.rpartition("-")
    for other in glob.glob(os.path.join(glob.escape(folder), f"{what}-*")):
        if not os.path.basename(other).startswith(stem):
            os.unlink(other)
