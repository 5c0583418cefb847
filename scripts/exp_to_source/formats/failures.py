"""Records of products that could not be made, for jobs that must not fail.

If one job of a group (a cluster job) fails, Snakemake removes the outputs of all of them. A failure
is therefore recorded as a sentence in the folder ``failures`` and an empty product. The run fails
at the end, and the empty product is removed.
"""

import os

from ..files import replacing, write_all
from ..results import FAILURES, product_path


def record_failure(record: str, product: str, sentence: str) -> None:
    """Leave an empty product, and record the reason.

    Parameters
    ----------
    record : str
        The record to write, named after the product: ``failures/<product>.txt``.
    product : str
        The product that could not be made. It is written last, so that an empty product has a
        record.
    sentence : str
        What is wrong.
    """
    with replacing(record) as file:
        write_all(file, f"{sentence}\n".encode("utf-8", "backslashreplace"))
    with replacing(product):
        pass


def read_failures(results: str) -> list[str]:
    """Sentences of all records, sorted by product name.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    """
    sentences = []
    for record in _records(results):
        with open(record, encoding="utf-8", errors="replace") as file:
            sentences.append(file.read().rstrip("\n"))
    return sentences


def failed_products(results: str) -> list[str]:
    """Names of the products that have a record.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    """
    return [os.path.basename(record).removesuffix(".txt") for record in _records(results)]


def remove_failed_products(results: str) -> None:
    """Remove the empty products, but keep their records, which an unfinished run still needs.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    """
    for name in failed_products(results):
        product = product_path(results, name)
        try:
            if os.stat(product).st_size == 0:
                os.unlink(product)
        except FileNotFoundError:
            pass


def forget_failures(results: str) -> None:
    """Remove the records of earlier runs.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    """
    for record in _records(results):
        os.unlink(record)


def _records(results: str) -> list[str]:
    """Paths of all records; usually the folder does not exist."""
    folder = os.path.join(results, FAILURES)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, name) for name in names if name.endswith(".txt")]
