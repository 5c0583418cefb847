"""Products that the user's table of joins makes from slits of several sources."""

from collections.abc import Iterable
from typing import NamedTuple

from ..errors import InputError
from ..naming import group_name, parse_product_name
from .families import Family, GroupingOptions, Slit
from .join_table import Joins, Row
from .products import MAX_PLACES, Product, group_slits, name_product

#: No table.
NO_JOINS = Joins()


class Join(NamedTuple):
    """Slits that become one product, each with the family that it would otherwise be in."""

    row: Row
    members: list[tuple[Family, Slit]]


def join_slits(
    families: Iterable[Family], joins: Joins, options: GroupingOptions
) -> tuple[list[Family], list[Product]]:
    """Make products from the slits that a table of joins matches.

    A target becomes one product for each instrument and set of optical elements, from any programs,
    observations and detectors. Its name follows the products of its first slit's family.

    Parameters
    ----------
    families : iterable of Family
        All slits.
    joins : Joins
        The table.
    options : GroupingOptions
        How other slits are grouped.

    Returns
    -------
    families : list of Family
        Families with the other slits.
    products : list of Product
        The joined products.

    Raises
    ------
    InputError
        If a row matches no slit, two rows match one, or a target id already belongs to another
        source.
    """
    families = list(families)
    if not joins.rows:
        return families, []
    joined: dict[object, Join] = {}
    rest: list[Family] = []
    used: set[str] = set()
    for family in families:
        others = []
        for slit in family.slits:
            if row := joins.row_of(slit):
                used.add(row.place)
                join = joined.setdefault((row.key, slit.optics), Join(row, []))
                join.members.append((family, slit))
            else:
                others.append(slit)
        rest.append(family._replace(slits=others))
    for row in joins.rows:
        if row.place not in used:
            raise _takes_nothing(row, [slit for family in families for slit in family.slits])
    left = {(family.template, _about(family)): family.slits for family in rest}
    products = [_product(join, left, options) for join in joined.values()]
    return [family for family in rest if family.slits], products


def _about(family: Family) -> str | None:
    return family.association.get("table_name") if family.association else None


def _product(
    join: Join, left: dict[tuple[str, str | None], list[Slit]], options: GroupingOptions
) -> Product:
    """Make the product of a join."""
    row, members = join
    by_family: dict[tuple[str, str | None], tuple[Family, list[Slit]]] = {}
    for family, slit in members:
        by_family.setdefault((family.template, _about(family)), (family, []))[1].append(slit)
    slits = [slit for _, slit in members]
    if len(set(slits)) < len(slits):
        twice = next(slit for slit in slits if slits.count(slit) > 1)
        raise InputError(
            f"{row.place}: {twice} is a member of several associations, and can be in one joined "
            "product only; leave one of them out of 'associations'"
        )
    key, (family, _) = next(iter(by_family.items()))
    label, kind, source_id = identify(row, slits)
    own = [
        slit
        for slit in left[key]
        if (slit.kind, slit.source_id) == (kind, source_id)
        or (label and slit.source_name.lower() == label.lower())
    ]
    if own and not row.product:
        raise InputError(
            f"{row.place}: its target {row.target} is a source of its own: "
            f"{', '.join(map(str, own[:MAX_PLACES]))}; if that one is meant, add a row that gives "
            "these slits the same target, otherwise choose another"
        )
    group = group_name(family.template)
    if row.product:
        family = family._replace(template=row.product)
    # A full name is that of one source.
    told = parse_product_name(row.product)
    if told and (told.kind, told.source_id) != (kind, source_id):
        raise InputError(
            f"{row.place}: its product {row.product!r} is not that of its target {row.target}; "
            "correct one of them, or write {source_id} in its place"
        )
    name = row.product if told else name_product(family, slits, kind, source_id)
    parts = (
        name_product(family, group, group[0].kind, group[0].source_id)
        for family, slits in by_family.values()
        for group in group_slits(slits, options).values()
    )
    shared = [family.association for family, _ in by_family.values()]
    association = shared[0] if all(about == shared[0] for about in shared) else None
    joined = tuple(dict.fromkeys(parts))
    return Product(name, source_id, kind, association, slits, joined, label, group)


def identify(row: Row, slits: list[Slit]) -> tuple[str, str, int]:
    """Name, class and id of a target; for a name, of its first slit with that name, or else any."""
    if row.source:
        return "", *row.source
    named = [slit for slit in slits if slit.source_name.lower() == row.target.lower()]
    first = (named or slits)[0]
    return row.target, first.kind, first.source_id


def _takes_nothing(row: Row, slits: list[Slit]) -> InputError:
    there = [slit for slit in slits if row._replace(slit_name="*", source_id="",
                                                   source_name="").takes(slit)]  # fmt: skip
    if not there:
        names = list(dict.fromkeys(slit.exposure for slit in slits))
        return InputError(
            f"{row.place}: no exposure is called {row.exposure!r}; they are "
            f"{', '.join(names[:MAX_PLACES])}{' ...' * (len(names) > MAX_PLACES)}; correct the row"
        )
    return InputError(
        f"{row.place}: takes no slit; near misses: "
        f"{', '.join(map(str, nearest(row, there)))}; correct the row"
    )


def nearest(row: Row, slits: list[Slit]) -> list[Slit]:
    """Slits that agree with most of a row, or are similar to it."""
    import difflib

    def likeness(slit: Slit) -> float:
        wanted = (row.slit_name, row.source_id, row.source_name)
        found = (slit.slit_name, str(slit.source_id), slit.source_name)
        return sum(
            difflib.SequenceMatcher(None, one.lower(), other.lower()).ratio()
            for one, other in zip(wanted, found, strict=True)
            if one
        )

    return sorted(slits, key=likeness, reverse=True)[:MAX_PLACES]
