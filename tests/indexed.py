"""Exposures as sources are listed from: the small part of their indices, without files."""

from collections.abc import Iterable
from typing import Any

from exp_to_source.naming import optical_elements
from exp_to_source.sources.associations import Association
from exp_to_source.sources.families import (
    Family,
    GroupingOptions,
    IndexedExposure,
    Slit,
    make_families,
)
from exp_to_source.sources.join_table import Joins
from exp_to_source.sources.joining import NO_JOINS, join_slits
from exp_to_source.sources.products import Product, make_products

IDENTITY = {
    "program": "10006", "observation": "010", "instrument": "NIRSPEC", "filter": "F170LP",
    "grating": "G235M", "pupil": "", "subarray": "FULL", "exposure_type": "NRS_MSASPEC",
    "version": "1.14.0", "standard": "1.6.0",
}  # fmt: skip


def exposure(name: str, *slits: tuple[Any, ...], **identity: str) -> IndexedExposure:
    """Make an exposure with slits: source id, source name, slit name; others of their fields.

    Without any, it has one of a source 1.
    """
    about = IDENTITY | {"exposure": name, "path": f"{name}.fits"} | identity
    elements = optical_elements(*(about[key] for key in ("filter", "grating", "pupil")))
    optics = f"{about['instrument']}_{elements}".lower()
    same = {"optics": optics, "program": about["program"]}
    indexed = []
    for n, (source_id, source_name, slit_name, *others) in enumerate(slits or [(1, "", "1")]):
        fields = same | (others[0] if others else {})
        what = source_id, source_name, slit_name, about["exposure_type"], 14, 100
        indexed.append(Slit(name, f"{name}-{n}", *what, **fields))
    return IndexedExposure(about, indexed)


def associate(name: str, template: str, *exposures: str) -> Association:
    """Make an association of exposures."""
    return Association(f"{name}_asn.json", template, list(exposures), [], None)


def group(
    exposures: Iterable[IndexedExposure],
    associations: Iterable[Association] = (),
    joins: Joins = NO_JOINS,
    **options: str,
) -> tuple[list[Family], list[Product], GroupingOptions]:
    """Group the slits of exposures."""
    grouping = GroupingOptions(**options)
    families, joined = join_slits(make_families(exposures, associations, grouping), joins, grouping)
    return families, make_products(families, grouping, joined), grouping
