"""Products whose exposures follow several ASDF standards: refused if they would not open."""

from collections.abc import Iterable

from ..errors import InputError
from ..formats.standards import newest, obstacle
from ..formats.tags import unknown_tags
from .families import Exposure
from .products import Product

#: Maximum number of exposures of one standard in a message.
MAX_NAMED = 3

_REMEDY = (
    "fetch all of these exposures again, so that one version of the pipeline made them, or regroup "
    "those of each standard in a working directory of their own"
)


def refuse_mixtures(products: Iterable[Product], exposures: Iterable[Exposure]) -> None:
    """Refuse products whose exposures cannot be combined.

    Parameters
    ----------
    products : iterable of Product
        Products to be made.
    exposures : iterable of Exposure
        All exposures that they are made of.

    Raises
    ------
    InputError
        If entries of a product follow several ASDF standards, and tags that the newest of them does
        not have have no known replacement.
    """
    known = {exposure.about["exposure"]: exposure for exposure in exposures}
    sound: set[frozenset[str]] = set()
    for product in products:
        names = list(dict.fromkeys(slit.exposure for slit in product.slits))
        if (key := frozenset(names)) in sound:
            continue
        groups: dict[str, list[str]] = {}
        for name in names:
            groups.setdefault(known[name].about["standard"], []).append(name)
        last = newest(groups)
        tags = {tag for name in names if name not in groups[last] for tag in known[name].tags}
        if len(groups) > 1 and (why := obstacle(groups) or _irreplaceable(tags, last)):
            raise InputError(f"{product.name} cannot be made of {_told(groups)}: {why}; {_REMEDY}")
        sound.add(key)


def _irreplaceable(tags: set[str], standard: str) -> str:
    """Say which of the tags of older standards has no place under this one; empty if none."""
    if unknown := sorted(unknown_tags(tags)):
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
