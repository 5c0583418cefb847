"""Products that are to be made again, kept until their successors are in place."""

import os

from ..results import PREVIOUS, QUICKLOOKS, product_path

#: Time of what is to be made again (seconds): before everything; but Snakemake takes 0 for none.
LONG_AGO = 1


def retain_product(results: str, name: str) -> None:
    """Have a product made again, whatever the clocks say, and keep the one that is there.

    It is dated before everything, as is its picture. Snakemake removes it before its successor is
    made, so it gets a second name, where the file system has such.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    name : str
        Name of the product.
    """
    product = product_path(results, name)
    picture = f"{results}/{QUICKLOOKS}/{name}.png"
    if os.path.exists(product) and os.path.getsize(product):
        previous = previous_of(product)
        os.makedirs(os.path.dirname(previous), exist_ok=True)
        forget_previous(product)
        try:
            os.link(product, previous)
        except OSError:
            pass
    for path in (product, picture):
        if os.path.exists(path):
            os.utime(path, (LONG_AGO, LONG_AGO))


def forget_previous(product: str) -> None:
    """Remove what was kept of a product, once its successor is in place."""
    try:
        os.unlink(previous_of(product))
    except FileNotFoundError:
        pass


def previous_of(product: str) -> str:
    """Path by which a product is kept until its successor is made."""
    folder, name = os.path.split(product)
    return os.path.join(os.path.dirname(folder), PREVIOUS, name)
