"""Warnings and notes on products, and on a run as a whole."""

from collections.abc import Collection, Iterable, Iterator

from ..diagnostics import Diagnostic
from ..errors import list_some
from ..formats.standards import STANDARDS, newest
from ..formats.tags import LAST_READ, dropped_tags, unknown_tags
from ..modes import FIXED_SLIT_IDS, is_grism
from ..naming import NUMBERED_BY_SLIT_BEFORE, group_name, parse_product_name, precedes
from .doubts import MAX_NAMED
from .families import Family, GroupingOptions, IndexedExposure
from .products import Product, exposure_sets


def find_warnings(
    products: Collection[Product],
    families: Collection[Family],
    exposures: Iterable[IndexedExposure],
    options: GroupingOptions,
) -> Iterator[Diagnostic]:
    """Warn of products that may not open or have odd names, and of exposures that differ."""
    by_name = {exposure.name: exposure for exposure in exposures}
    yield from warn_unopenable(products, by_name)
    yield from check_asdf_standards(products, by_name)
    yield from note_names(products)
    if options.fixed_slit_ids != "table":
        yield from warn_mixed_slit_ids(families, by_name)
    yield from warn_mixed_elements(families)
    yield from warn_shared_tables(families)


def warn_unopenable(
    products: Iterable[Product], exposures: dict[str, IndexedExposure]
) -> Iterator[Diagnostic]:
    """Warn of products that cannot be opened, as their exposures cannot be opened either."""
    tags = {name: dropped_tags(exposure.tags) for name, exposure in exposures.items()}
    if not any(tags.values()):
        return
    closed = [product for product in products if any(tags[slit.exposure] for slit in product.slits)]
    dropped = {tag for product in closed for slit in product.slits for tag in tags[slit.exposure]}
    if closed:
        yield Diagnostic(
            "warning",
            f"{len(closed)} products cannot be opened, as exposures of theirs cannot: their ASDF "
            f"trees have tags that stdatamodels reads up to version {LAST_READ} only "
            f"({', '.join(sorted(dropped))})",
        )


def check_asdf_standards(
    products: Iterable[Product], exposures: dict[str, IndexedExposure]
) -> Iterator[Diagnostic]:
    """Warn of products whose trees have something that their ASDF standard may not have."""
    standards = {name: exposure.header["standard"] for name, exposure in exposures.items()}
    if len(set(standards.values())) == 1:
        return
    reasons = set()
    for product, names in exposure_sets(products):
        groups: dict[str, list[str]] = {}
        for name in names:
            groups.setdefault(standards[name], []).append(name)
        last = newest(groups)
        tags = {tag for name in names if standards[name] != last for tag in exposures[name].tags}
        if strange := sorted(groups.keys() - STANDARDS):
            reason = f"how standard {strange[0]} goes together with others is not known"
        elif unknown := sorted(unknown_tags(tags)):
            reason = f"readers may not know the tag {unknown[0]} under standard {last}"
        else:
            continue
        if len(groups) > 1 and reason not in reasons:
            reasons.add(reason)
            parts = " and ".join(
                f"exposures of ASDF standard {standard} ({list_some(members, limit=MAX_NAMED)})"
                for standard, members in groups.items()
            )
            yield Diagnostic(
                "warning",
                f"{product.name} is made of {parts}: {reason}; the target 'verify' shows whether "
                "such products open",
            )


def note_names(products: Iterable[Product]) -> Iterator[Diagnostic]:
    """Report products that combine named and nameless slits, and names not as the archive's.

    The jwst package makes two products of each of the first.
    """
    nameless, unusual = [], []
    for product in (product for product in products if not product.joined):
        names = {slit.source_name for slit in product.slits}
        if len(names) > 1 and "" in names:
            nameless.append(product.name)
        if not (product.association or parse_product_name(product.name)):
            unusual.append(product.name)
    for concerned, text in (
        (nameless, "some slits have no SRCNAME, their SOURCEID decides"),
        (
            unusual,
            "named after headers, which do not give a name as the archive's; an association may "
            "give another",
        ),
    ):
        if concerned:
            yield Diagnostic("note", f"{list_some(concerned, limit=1)}: {text}")


def warn_mixed_slit_ids(
    families: Iterable[Family], exposures: dict[str, IndexedExposure]
) -> Iterator[Diagnostic]:
    """Warn of fixed slits with ids of two kinds, so that products mix or split them.

    Before pipeline version 1.12 a fixed slit had the id of the slit, since then that of its source;
    the jwst package uses both as they are.
    """
    for family in families:
        fixed = {slit.exposure for slit in family.slits if slit.slit_name.upper() in FIXED_SLIT_IDS}
        versions = {name: exposures[name].header["version"] for name in fixed}
        old = {name for name in fixed if precedes(versions[name], NUMBERED_BY_SLIT_BEFORE)}
        if old and old != fixed:
            yield Diagnostic(
                "warning",
                f"{min(old)} numbers its fixed slits as pipelines before 1.12 did, "
                f"{min(fixed - old)} otherwise, so that products may mix or part their targets; "
                "'fixed_slit_ids: table' makes one product of each slit",
            )


def warn_mixed_elements(families: Iterable[Family]) -> Iterator[Diagnostic]:
    """Warn of associations whose exposures have different optical elements."""
    for family in families:
        if not family.association:
            continue
        exposures: dict[str, str] = {}
        for slit in family.slits:
            exposures.setdefault(slit.optics, slit.exposure)
        if len(exposures) > 1:
            first = ", ".join(f"{name}: {optics}" for optics, name in exposures.items())
            yield Diagnostic(
                "warning",
                f"{family.association['table_name']}: its exposures have different "
                f"optical elements ({first}), and its products combine them; make an association "
                "for each set of elements",
            )


def warn_shared_tables(families: Iterable[Family]) -> Iterator[Diagnostic]:
    """Warn of families of WFSS whose spectra would be in one table, as their names are alike."""
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
