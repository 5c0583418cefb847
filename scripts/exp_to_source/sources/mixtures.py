"""Products whose exposures follow several ASDF standards: what readers may not know of them."""

from collections.abc import Iterable

from ..diagnostics import Diagnostic
from ..errors import list_some
from ..formats.standards import STANDARDS, newest
from ..formats.tags import unknown_tags
from .families import Exposure
from .products import Product

#: Maximum number of exposures of one standard in a message.
MAX_NAMED = 3


def mixture_warnings(
    products: Iterable[Product], exposures: Iterable[Exposure]
) -> list[Diagnostic]:
    """Warn of products whose trees have something that their ASDF standard may not have.

    Parameters
    ----------
    products : iterable of Product
        Products to be made.
    exposures : iterable of Exposure
        All exposures that they are made of.
    """
    known = {exposure.about["exposure"]: exposure for exposure in exposures}
    checked: set[frozenset[str]] = set()
    found: dict[str, str] = {}
    for product in products:
        names = list(dict.fromkeys(slit.exposure for slit in product.slits))
        if (key := frozenset(names)) in checked:
            continue
        checked.add(key)
        groups: dict[str, list[str]] = {}
        for name in names:
            groups.setdefault(known[name].about["standard"], []).append(name)
        last = newest(groups)
        tags = {tag for name in names if name not in groups[last] for tag in known[name].tags}
        if len(groups) > 1 and (reason := _find_reason(groups, tags, last)):
            found.setdefault(reason, f"{product.name} is made of {_describe(groups)}")
    return [
        Diagnostic(
            "warning", f"{first}: {reason}; the target 'verify' shows whether such products open"
        )
        for reason, first in found.items()
    ]


def _find_reason(standards: Iterable[str], tags: set[str], last: str) -> str:
    """Return what may go wrong with a product of several standards; empty if nothing may."""
    if strange := sorted(set(standards).difference(STANDARDS)):
        return f"how standard {strange[0]} goes together with others is not known"
    if unknown := sorted(unknown_tags(tags)):
        return f"readers may not know the tag {unknown[0]} under standard {last}"
    return ""


def _describe(groups: dict[str, list[str]]) -> str:
    """Name exposures, the first few of each ASDF standard."""
    return " and ".join(
        f"exposures of ASDF standard {standard} ({list_some(names, limit=MAX_NAMED)})"
        for standard, names in groups.items()
    )
