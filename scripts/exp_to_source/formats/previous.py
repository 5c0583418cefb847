"""Products that must be made again, kept until the new ones exist."""

import os

from ..results import PREVIOUS, product_path, quicklook_path

#: Time of products that must be made again (seconds): before all others; Snakemake ignores 0.
LONG_AGO = 1


def retain_product(results: str, name: str) -> None:
    """Have a product made again, whatever the clocks say, and keep the existing one.

    The product and its picture get a time before all others. Snakemake removes the product before
    the new one is made, so it gets a second name (a hard link), if the file system supports that.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    name : str
        Name of the product.
    """
    product = product_path(results, name)
    picture = quicklook_path(results, name)
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
    """Remove the kept copy of a product, once the new one exists."""
    try:
        os.unlink(previous_of(product))
    except FileNotFoundError:
        pass


def previous_of(product: str) -> str:
    """Path of the copy of a product that is kept until the new one is made."""
    folder, name = os.path.split(product)
    return os.path.join(os.path.dirname(folder), PREVIOUS, name)
