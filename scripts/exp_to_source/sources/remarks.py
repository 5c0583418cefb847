"""Remarks on a run as a whole."""

from collections.abc import Iterable, Iterator

from ..diagnostics import Diagnostic
from ..formats.tags import LAST_READ, dropped_tags
from ..modes import FIXED_SLIT_IDS, is_grism
from ..naming import NUMBERED_BY_SLIT_BEFORE, group_name, parse_product_name, precedes
from .families import Exposure, Family, GroupingOptions
from .products import Product


def unopenable(products: Iterable[Product], exposures: Iterable[Exposure]) -> list[Diagnostic]:
    """Report products that cannot be opened, as their exposures cannot be opened either."""
    tags = {exposure.about["exposure"]: dropped_tags(exposure.tags) for exposure in exposures}
    closed = [product for product in products if any(tags[slit.exposure] for slit in product.slits)]
    if not closed:
        return []
    concerned = {slit.exposure for product in closed for slit in product.slits}
    dropped = sorted({tag for exposure in concerned for tag in tags[exposure]})
    text = (
        f"{len(closed)} products cannot be opened, as exposures of theirs cannot: their ASDF trees "
        f"have tags that stdatamodels reads up to version {LAST_READ} only ({', '.join(dropped)})"
    )
    return [Diagnostic("warning", text)]


def part_named(products: Iterable[Product]) -> list[Diagnostic]:
    """Report products that combine slits with and without a source name.

    The jwst package makes two products of each of these.
    """
    found = []
    for product in products:
        names = {slit.source_name for slit in product.slits}
        if len(names) > 1 and "" in names and not product.joined:
            found.append(product.name)
    if not found:
        return []
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return [
        Diagnostic("note", f"{found[0]}{more}: some slits have no SRCNAME, their SOURCEID decides")
    ]


def unusual_names(products: Iterable[Product]) -> list[Diagnostic]:
    """Report products whose names, from headers, do not follow the archive's syntax."""
    names = [
        product.name
        for product in products
        if not product.association and not product.joined and not parse_product_name(product.name)
    ]
    if not names:
        return []
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    text = (
        f"{names[0]}{more}: named after headers, which do not give a name as the archive's; an "
        "association may give another"
    )
    return [Diagnostic("note", text)]


def shared_tables(families: Iterable[Family]) -> Iterator[Diagnostic]:
    """Report families of WFSS whose spectra would be in one table, as their names are alike."""
    groups: dict[str, list[str]] = {}
    for family in families:
        if is_grism(next((slit.exposure_type for slit in family.slits), "")):
            # Some file systems take upper and lower case for the same.
            groups.setdefault(group_name(family.template).lower(), []).append(family.template)
    for name, templates in groups.items():
        if len(templates) > 1:
            yield Diagnostic(
                "warning",
                f"spectra of {' and '.join(templates)} would be in one table, {name}_x1d.fits; "
                "give the product of each association a name of its own",
            )


def renumbered(
    families: Iterable[Family], exposures: Iterable[Exposure], options: GroupingOptions
) -> Iterator[Diagnostic]:
    """Report fixed slits with ids of two kinds, so that products mix or split them.

    Before pipeline version 1.12 a fixed slit had the id of the slit, since then that of its source;
    the jwst package uses both as they are.
    """
    if options.fixed_slit_ids == "table":
        return
    versions = {exposure.about["exposure"]: exposure.about["version"] for exposure in exposures}
    for family in families:
        fixed = {slit.exposure for slit in family.slits if slit.slit_name.upper() in FIXED_SLIT_IDS}
        old = {name for name in fixed if precedes(versions[name], NUMBERED_BY_SLIT_BEFORE)}
        if old and old != fixed:
            yield Diagnostic(
                "warning",
                f"{min(old)} numbers its fixed slits as pipelines before 1.12 did, "
                f"{min(fixed - old)} otherwise, so that products may mix or part their targets; "
                "'fixed_slit_ids: table' makes one product of each slit",
            )


def mixed_elements(families: Iterable[Family]) -> Iterator[Diagnostic]:
    """Report associations whose exposures have different optical elements."""
    for family in families:
        exposures: dict[str, list[str]] = {}
        for slit in family.slits if family.association else ():
            exposures.setdefault(slit.optics, []).append(slit.exposure)
        if family.association and len(exposures) > 1:
            named = ", ".join(f"{names[0]}: {optics}" for optics, names in exposures.items())
            yield Diagnostic(
                "warning",
                f"{family.association['table_name']}: its exposures have different "
                f"optical elements ({named}), and its products combine them; make an association "
                "for each set of elements",
            )
