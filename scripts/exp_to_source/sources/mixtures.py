"""Products whose exposures follow several ASDF standards: refused if they would not open."""

from collections.abc import Iterable, Mapping
from functools import cache

from ..errors import InputError
from ..formats.indices import IndexReader
from ..formats.rows import decode_column
from ..formats.standards import MARKED, newest, obstacle
from ..formats.tags import known_tags
from .products import Product

#: Maximum number of exposures of one standard in a message.
MAX_NAMED = 3

_REMEDY = (
    "fetch all of these exposures again, so that one version of the pipeline made them, or regroup "
    "those of each standard in a working directory of their own"
)


def refuse_mixtures(products: Iterable[Product], indices: Mapping[str, str]) -> None:
    """Refuse products whose exposures cannot be combined.

    Parameters
    ----------
    products : iterable of Product
        Products to be made.
    indices : mapping
        Exposure to its index.

    Raises
    ------
    InputError
        If entries of a product follow several ASDF standards, and tags that the newest of them does
        not have have no known replacement.
    """

    @cache
    def standard_and_tags(exposure: str) -> tuple[str, list[str]]:
        with IndexReader(indices[exposure]) as index:
            return index.exposure["standard"], decode_column(index.part("tags"))

    sound: set[frozenset[str]] = set()
    for product in products:
        names = list(dict.fromkeys(slit.exposure for slit in product.slits))
        if (key := frozenset(names)) in sound:
            continue
        groups: dict[str, list[str]] = {}
        for name in names:
            groups.setdefault(standard_and_tags(name)[0], []).append(name)
        last = newest(groups)
        tags = {
            tag for name in names if name not in groups[last] for tag in standard_and_tags(name)[1]
        }
        if len(groups) > 1 and (why := obstacle(groups) or _irreplaceable(tags, last)):
            raise InputError(f"{product.name} cannot be made of {_told(groups)}: {why}; {_REMEDY}")
        sound.add(key)


def _irreplaceable(tags: set[str], standard: str) -> str:
    """Say which of the tags of older standards has no place under this one; empty if none."""
    if unknown := sorted(tags - MARKED - known_tags()):
        return f"nothing is known to replace {unknown[0]} under standard {standard}"
    return ""


def _told(groups: dict[str, list[str]]) -> str:
    """Name exposures, the first few of each ASDF standard."""
    told = []
    for standard, names in groups.items():
        more = len(names) - MAX_NAMED
        shown = ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
        told.append(f"exposures of ASDF standard {standard} ({shown})")
    return " and ".join(told)
