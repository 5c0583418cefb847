"""Products: grouping the slits of a family by source, and naming their products."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..errors import InputError, list_some, pluralize
from ..formats.manifests import encode_manifest
from ..naming import fill_template, format_source, group_name, is_product_name
from .families import Family, GroupingOptions, Slit


class Product(NamedTuple):
    """A product: its name without ``_cal``, and its slits in order.

    The name of its family is that of the table with the spectra of all its sources (WFSS). If the
    user joined it, it has the names of the products that its slits would be in otherwise, and may
    have a name for the source.
    """

    name: str
    source_id: int
    class_: str
    association: dict[str, str] | None
    slits: list[Slit]
    joined: tuple[str, ...] = ()
    label: str = ""
    family: str = ""


def group_slits(slits: Iterable[Slit], options: GroupingOptions) -> dict[Any, list[Slit]]:
    """Group the slits of a family by source."""
    groups: dict[Any, list[Slit]] = {}
    for slit in slits:
        by_name = options.group_by == "source_name" and slit.modern_name
        key = slit.modern_name if by_name else (slit.class_, slit.source_id)
        groups.setdefault(key, []).append(slit)
    return groups


def exposure_sets(products: Iterable[Product]) -> Iterator[tuple[Product, tuple[str, ...]]]:
    """List the sets of exposures that products consist of, with the first product of each."""
    seen = set()
    for product in products:
        names = tuple(dict.fromkeys(slit.exposure for slit in product.slits))
        if names not in seen:
            seen.add(names)
            yield product, names


def make_products(
    families: Iterable[Family], options: GroupingOptions, joined: Iterable[Product] = ()
) -> list[Product]:
    """Group the slits of each family by source, and add the joined products.

    The error lists every conflict between names and ids, or between names of files, with remedies.
    """
    candidates = list(joined)
    conflicts: list[str] = []
    for family in families:
        groups, group = group_slits(family.slits, options), group_name(family.template)
        if options.group_by == "auto":
            conflicts += find_contradictions(groups)
        for slits in groups.values():
            class_, source_id = slits[0].class_, slits[0].source_id
            name = name_product(family, slits, class_, source_id)
            product = Product(name, source_id, class_, family.association, slits, family=group)
            candidates.append(product)
    products: dict[str, Product] = {}
    for product in candidates:
        # Some file systems take upper and lower case for the same.
        other = products.setdefault(product.name.lower(), product)
        if other is not product:
            conflicts.append(describe_collision(other, product))
    if conflicts:
        lines = "".join(f"\n- {conflict}" for conflict in conflicts)
        raise InputError(
            f"{pluralize(len(conflicts), 'conflict')} between sources, nothing is written:{lines}"
        )
    return sorted(products.values(), key=lambda product: product.name)


def name_product(family: Family, slits: list[Slit], class_: str, source_id: int) -> str:
    """Name the product of a source."""
    source = format_source(class_, source_id, family.digits)
    names = list(dict.fromkeys(slit.slit_name for slit in slits if slit.slit_name))
    name = fill_template(family.template, source, names)
    if not is_product_name(name):
        # The first slit that has no valid name by itself; otherwise, there are too many names.
        bad = (
            slit
            for slit in slits
            if not is_product_name(fill_template(family.template, source, [slit.slit_name]))
        )
        culprit = next(bad, max(slits, key=lambda slit: len(slit.slit_name)))
        raise InputError(
            f"{culprit}: {name!r:.300} is not a valid product name; correct the names of "
            f"its slits or the template {family.template!r:.300}"
        )
    return name


def manifest(product: Product) -> bytes:
    """Format a product's manifest: exactly the data that its gather depends on."""
    slits = ((slit.exposure, slit.digest) for slit in product.slits)
    return encode_manifest(product.name, product.association, slits, product.joined)


def find_contradictions(groups: dict[Any, list[Slit]]) -> Iterator[str]:
    """Report names and ids of sources that do not agree one to one."""
    by_name: dict[str, dict[tuple[str, int], list[Slit]]] = {}
    for key, slits in groups.items():
        names: dict[str, list[Slit]] = {}
        for slit in slits:
            if name := slit.modern_name:
                names.setdefault(name, []).append(slit)
                by_name.setdefault(name, {}).setdefault(key, []).append(slit)
        if len(names) > 1:
            yield (
                f"one id, {len(names)} names: {_list_slits(names.values())}; "
                "'group_by: source_id' makes one product of them; to keep them apart, give them "
                "different SOURCEIDs"
            )
    for ids in by_name.values():
        if len(ids) > 1:
            yield (
                f"one name, {len(ids)} ids: {_list_slits(ids.values())}; 'group_by: source_name' "
                "makes one product of them, named after the first id, 'group_by: source_id' one of "
                "each"
            )


def describe_collision(one: Product, other: Product) -> str:
    """Report that two groups of slits would have one file name."""
    if one.joined or other.joined:
        remedy = "give one of the joins another target or product"
    elif one.association != other.association:
        remedy = (
            "the exposures are members of different associations, or some of none; name all of "
            "them in one association, or leave out one of the settings or associations"
        )
    else:
        remedy = "'group_by: source_id' makes one product of those that share an id"
    slits = _list_slits([one.slits, other.slits])
    names = " and ".join(f"{name}_cal.fits" for name in dict.fromkeys((one.name, other.name)))
    return f"one file name, two groups: {names} for {slits}; {remedy}"


def _list_slits(groups: Iterable[list[Slit]]) -> str:
    """List the first few slits of each group in turn."""
    return " | ".join(map(list_some, groups))
