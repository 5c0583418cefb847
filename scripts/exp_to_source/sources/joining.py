"""Products that the user's table of joins makes from slits of several sources."""

from collections.abc import Iterable
from typing import Any

from ..errors import InputError, list_some
from ..naming import group_name, parse_product_name
from .choosing import matches
from .families import Family, GroupingOptions, Slit
from .join_table import Joins, Row
from .products import Product, group_slits, name_product

NO_JOINS = Joins()


def join_slits(
    families: Iterable[Family], joins: Joins, options: GroupingOptions
) -> tuple[list[Family], list[Product]]:
    """Combine the slits that a table of joins matches; return the other slits, and the products.

    A target becomes one product for each instrument and set of optical elements, from any programs,
    observations and detectors. Its name follows the products of its first slit's family.
    """
    families = list(families)
    if not joins.rows:
        return families, []
    # For each product its row, and its slits by the number of their family.
    joined: dict[Any, tuple[Row, dict[int, list[Slit]]]] = {}
    unjoined: list[Family] = []
    used: set[str] = set()
    for number, family in enumerate(families):
        slits = []
        for slit in family.slits:
            if row := joins.find_row(slit.key):
                used.add(row.location)
                _, members = joined.setdefault((row.key, slit.optics), (row, {}))
                members.setdefault(number, []).append(slit)
            else:
                slits.append(slit)
        unjoined.append(family._replace(slits=slits))
    for row in joins.rows:
        if row.location not in used:
            raise no_match_error(row, [slit for family in families for slit in family.slits])
    products = [_make_product(*join, unjoined, options) for join in joined.values()]
    return [family for family in unjoined if family.slits], products


def _make_product(
    row: Row, members: dict[int, list[Slit]], unjoined: list[Family], options: GroupingOptions
) -> Product:
    slits = [slit for group in members.values() for slit in group]
    if len(set(slits)) < len(slits):
        repeated = next(slit for slit in slits if slits.count(slit) > 1)
        raise InputError(
            f"{row.location}: {repeated} is a member of several associations, and can be in one "
            "joined product only; leave one of them out of 'associations'"
        )
    family = unjoined[next(iter(members))]
    label = "" if row.source else row.target
    # The first slit with that name, or else any.
    named = (slit for slit in slits if slit.source_name.lower() == label.lower())
    first = next(named, slits[0])
    class_, source_id = row.source or (first.class_, first.source_id)
    same = [
        slit
        for slit in family.slits
        if (slit.class_, slit.source_id) == (class_, source_id)
        or (label and slit.source_name.lower() == label.lower())
    ]
    if same and not row.product:
        raise InputError(
            f"{row.location}: its target {row.target} is a source of its own: "
            f"{list_some(same)}; if that one is meant, add a row that gives these slits the same "
            "target, otherwise choose another"
        )
    group = group_name(family.template)
    if row.product:
        family = family._replace(template=row.product)
    # A full name is that of one source.
    source = parse_product_name(row.product)
    if source and source != (class_, source_id):
        raise InputError(
            f"{row.location}: its product {row.product!r} is not that of its target {row.target}; "
            "correct one of them, or write {source_id} in its place"
        )
    name = row.product if source else name_product(family, slits, class_, source_id)
    parts = (
        name_product(unjoined[number], group, group[0].class_, group[0].source_id)
        for number, family_slits in members.items()
        for group in group_slits(family_slits, options).values()
    )
    association, *others = (unjoined[number].association for number in members)
    if any(other != association for other in others):
        association = None
    joined = tuple(dict.fromkeys(parts))
    return Product(name, source_id, class_, association, slits, joined, label, group)


def no_match_error(row: Row, slits: list[Slit]) -> InputError:
    """Describe a row that matches no slit, with the slits that agree with most of it."""
    from difflib import SequenceMatcher

    of_exposure = [
        slit for slit in slits if any(matches(slit.exposure, name or "*") for name in row.exposures)
    ]
    if not of_exposure:
        names = dict.fromkeys(slit.exposure for slit in slits)
        return InputError(
            f"{row.location}: no exposure is called {row.exposure!r}; they are {list_some(names)}; "
            "correct the row"
        )

    def similarity(slit: Slit) -> float:
        return sum(
            SequenceMatcher(None, expected.lower(), value.lower()).ratio()
            for expected, value in (
                (row.slit_name, slit.slit_name),
                (row.source_id, str(slit.source_id)),
                (row.source_name, slit.source_name),
            )
            if expected
        )

    near = list_some(sorted(of_exposure, key=similarity, reverse=True)[:6])
    return InputError(f"{row.location}: takes no slit; near misses: {near}; correct the row")
