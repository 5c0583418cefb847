"""Records of failures, for jobs that must exit with 0.

If one job of a group (a cluster job) fails, Snakemake removes the outputs of all of them. Without
the spectrum of one source, it does not make the table of all. Such a failure is recorded as a
sentence in the folder ``failures``, and as empty files. The run fails at the end, and the empty
files are removed.
"""

import os
from collections.abc import Iterable, Iterator
from glob import escape, glob
from pathlib import Path

from .files import write_file
from .results import FAILURES, SPEC3, SPECTRA, product_path, spectrum_path


def record_failure(record: str, files: Iterable[str], message: str) -> None:
    """Record why files could not be made, and leave empty ones, so that each has a record.

    It is named after the product: ``failures/<product>.txt``, or ``failures/spec3/<product>.txt``
    for its spectra.
    """
    write_file(record, f"{message}\n".encode("utf-8", "backslashreplace"))
    for path in files:
        write_file(path, b"")


def read_failures(results: str) -> list[str]:
    """Read the messages of all records, sorted by product; those about spectra are the last."""
    texts = (Path(path).read_text("utf-8", "replace") for path in _records(results))
    return [text.rstrip("\n") for text in texts]


def failed_files(results: str) -> Iterator[str]:
    """Yield the paths of all files that are recorded as failed, whether they exist or not."""
    for record in _records(results):
        path = Path(record)
        if path.parent.name == SPEC3:
            yield from (spectrum_path(results, path.stem, kind) for kind in SPECTRA)
        else:
            yield product_path(results, path.stem)


def empty_files(results: str) -> list[str]:
    """List the empty files, which exist until the end of a run; a killed one leaves them."""
    paths = failed_files(results)
    return [path for path in paths if os.path.exists(path) and not os.path.getsize(path)]


def remove_failed_files(results: str) -> None:
    """Remove the empty files, but keep their records, which an unfinished run still needs."""
    for path in empty_files(results):
        os.unlink(path)


def forget_failures(results: str) -> None:
    """Remove the records of earlier runs, and the empty files of a run that was killed."""
    remove_failed_files(results)
    for record in _records(results):
        os.unlink(record)


def _records(results: str) -> list[str]:
    """Paths of all records: of products, then of spectra."""
    folder = escape(f"{results}/{FAILURES}")
    return sorted(glob(f"{folder}/*.txt")) + sorted(glob(f"{folder}/{SPEC3}/*.txt"))
