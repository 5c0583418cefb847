"""Products that could not be made, recorded where their jobs must not fail.

Jobs that share a cluster job share their fate: Snakemake removes what all of them made when one
fails. So a failure is a sentence in the folder ``failures`` and an empty product in its place; the
run fails in the end, and the empty product is removed.
"""

import os

from ..files import replacing, write_all
from ..results import FAILURES, product_path


def record_failure(record: str, product: str, sentence: str) -> None:
    """Leave an empty product, and say why.

    Parameters
    ----------
    record : str
        The record to write, called after the product: ``failures/<product>.txt``.
    product : str
        The product that could not be made. It comes last: an empty one has its record.
    sentence : str
        What is wrong.
    """
    with replacing(record) as file:
        write_all(file, f"{sentence}\n".encode("utf-8", "backslashreplace"))
    with replacing(product):
        pass


def read_failures(results: str) -> list[str]:
    """Sentences of all records, in the order of the products' names.

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
    """Remove the empty products, and keep their records, which an unfinished run still needs.

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
    """Paths of all records; mostly there is not even a folder."""
    folder = os.path.join(results, FAILURES)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, name) for name in names if name.endswith(".txt")]
