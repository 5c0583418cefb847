"""Records of what could not be made, for jobs that must not fail.

If one job of a group (a cluster job) fails, Snakemake removes the outputs of all of them. Without
the spectrum of one source, it does not make the table of all. Such a failure is recorded as a
sentence in the folder ``failures``, and empty files. The run fails at the end, and the empty files
are removed.
"""

import os
from collections.abc import Iterable, Iterator

from ..files import atomic_write, write_all
from ..results import FAILURES, SPEC3, SPECTRA, product_path, spectrum_path

#: Ending of the records.
RECORD = ".txt"


def record_failure(record: str, files: Iterable[str], sentence: str) -> None:
    """Leave empty files, and record the reason.

    Parameters
    ----------
    record : str
        The record to write, named after the product: ``failures/<product>.txt``, or
        ``failures/spec3/<product>.txt`` for its spectra.
    files : iterable of str
        What could not be made. They are written last, so that an empty file has a record.
    sentence : str
        What is wrong.
    """
    with atomic_write(record) as file:
        write_all(file, f"{sentence}\n".encode("utf-8", "backslashreplace"))
    for path in files:
        with atomic_write(path):
            pass


def read_failures(results: str) -> list[str]:
    """Sentences of all records, sorted by product name; those about spectra are the last.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    """
    sentences = []
    for folder in _folders(results):
        for name in _records(folder):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                sentences.append(file.read().rstrip("\n"))
    return sentences


def failed_files(results: str) -> Iterator[str]:
    """Paths of all files that are recorded as failed, whether they are there or not.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    """
    of_products, of_spectra = _folders(results)
    for name in _records(of_products):
        yield product_path(results, name.removesuffix(RECORD))
    for name in _records(of_spectra):
        for kind in SPECTRA:
            yield spectrum_path(results, name.removesuffix(RECORD), kind)


def remove_failed_files(results: str) -> None:
    """Remove the empty files, but keep their records, which an unfinished run still needs.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    """
    for path in failed_files(results):
        try:
            if os.stat(path).st_size == 0:
                os.unlink(path)
        except FileNotFoundError:
            pass


def forget_failures(results: str) -> None:
    """Remove the records of earlier runs, and the empty files of a run that was killed.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    """
    remove_failed_files(results)
    for folder in _folders(results):
        for name in _records(folder):
            os.unlink(os.path.join(folder, name))


def _folders(results: str) -> tuple[str, str]:
    """Folders of the records of products, and of their spectra."""
    folder = os.path.join(results, FAILURES)
    return folder, os.path.join(folder, SPEC3)


def _records(folder: str) -> list[str]:
    """Names of the records in a folder, which usually does not exist."""
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [name for name in names if name.endswith(RECORD)]
