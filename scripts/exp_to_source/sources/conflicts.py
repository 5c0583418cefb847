"""What is told where sources contradict each other."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .products import Product, Slit

#: How many places of a conflict a message lists.
MAX_PLACES = 6


def contradictions(groups: "dict[Any, list[Slit]]") -> Iterator[str]:
    """Tell where names and ids of sources do not agree one to one."""
    by_name: dict[str, dict[tuple[str, int], list[Slit]]] = {}
    for key, slits in groups.items():
        names: dict[str, list[Slit]] = {}
        for slit in slits:
            if name := slit.modern_name:
                names.setdefault(name, []).append(slit)
                by_name.setdefault(name, {}).setdefault(key, []).append(slit)
        if len(names) > 1:
            yield (
                f"one id, {len(names)} names: {_places(names.values())}; "
                "'group_by: source_id' makes one product of them; to keep them apart, give them "
                "different SOURCEIDs"
            )
    for ids in by_name.values():
        if len(ids) > 1:
            yield (
                f"one name, {len(ids)} ids: {_places(ids.values())}; 'group_by: source_name' makes "
                "one product of them, named after the first id, 'group_by: source_id' one of each"
            )


def collision(one: "Product", other: "Product") -> str:
    """Tell that two groups of slits would have one file name."""
    remedy = (
        "give one of the joins another target or product"
        if one.joined or other.joined
        else "'group_by: source_id' makes one product of those that share an id; otherwise leave "
        "out one of the associations or exposures"
    )
    places = _places([one.slits, other.slits])
    return f"one file name, two groups: {one.name}_cal.fits for {places}; {remedy}"


def _places(groups: "Iterable[list[Slit]]") -> str:
    """List slits of each group in turn, the first few of them."""
    shown = []
    for slits in groups:
        more = len(slits) - MAX_PLACES
        places = ", ".join(map(str, slits[:MAX_PLACES]))
        shown.append(places + (f" and {more} more" if more > 0 else ""))
    return " | ".join(shown)
