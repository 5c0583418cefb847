"""Which slits belong together, and what the products are called."""

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from . import FORMAT
from .association import Association
from .errors import InputError
from .index import IndexReader, sealed
from .naming import (
    FIXED_SLIT_IDS,
    digits_of,
    fill_template,
    format_source,
    header_template,
    optical_elements,
    parse_product_name,
    source_kind,
)

#: Names that are safe as parts of file names of our own.
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,199}")

#: Longer names of products leave no room for what is added: file systems allow 255 bytes.
MAX_NAME = 220

#: How many places of a conflict a message lists.
MAX_PLACES = 6


class Choices(NamedTuple):
    """How the user wants slits to be grouped and products to be named (config keys)."""

    group_by: str = "auto"
    source_id_digits: str = "auto"
    fixed_slit_ids: str = "header"
    on_bad_exposure: str = "stop"


class Slit(NamedTuple):
    """A slit of an exposure, as far as grouping needs it."""

    exposure: str
    digest: str
    source_id: int
    source_name: str
    slit_name: str
    planes: int
    size: int

    @property
    def kind(self) -> str:
        """Class of its source."""
        return source_kind(self.source_id, self.source_name)

    def __str__(self) -> str:
        name = f", SRCNAME {self.source_name!r}" if self.source_name else ", no SRCNAME"
        return f"{self.exposure} slit {self.slit_name or '?'} (SOURCEID {self.source_id}{name})"


class Family(NamedTuple):
    """Products of one template: an association's, or those of equal program, elements and so on."""

    template: str
    digits: int
    association: dict[str, str] | None
    slits: list[Slit]


class Product(NamedTuple):
    """A product to be made: its name without ``_cal``, and its slits in order."""

    name: str
    source_id: int
    kind: str
    association: dict[str, str] | None
    slits: list[Slit]


def read_exposures(
    paths: Iterable[str], choices: Choices
) -> Iterator[tuple[dict[str, Any], list[Slit]]]:
    """Read the small part of indices: each exposure's identity and its slits.

    An exposure that has a ``failure`` in place of slits is to be skipped.

    Raises
    ------
    InputError
        If an index is damaged, a slit has no source id, or an exposure failed and may not be
        skipped.
    """
    for path in paths:
        with IndexReader(path) as index:
            if os.path.basename(path) != f"{index.exposure['exposure']}.jsonl":
                raise InputError(
                    f"{path}: is the index of {index.exposure['exposure']}, renamed; delete it and "
                    "run again"
                )
            if "failure" in index.exposure and choices.on_bad_exposure == "stop":
                raise InputError(index.exposure["failure"])
            yield index.exposure, [_slit(index.exposure, head, choices) for head in index.heads()]


def _slit(exposure: dict[str, Any], head: list[Any], choices: Choices) -> Slit:
    digest, source_id, source_name, slit_name, kind, planes, size = head
    if choices.fixed_slit_ids == "table" and kind == "NRS_FIXEDSLIT":
        source_id = FIXED_SLIT_IDS.get(slit_name.upper(), source_id)
    if source_id is None:
        raise InputError(
            f"{exposure['path']}: slit {slit_name or '?'} has no SOURCEID; "
            "set the keyword in its SCI header"
        )
    return Slit(exposure["exposure"], digest, source_id, source_name, slit_name, planes, size)


def make_families(
    exposures: Iterable[tuple[dict[str, Any], list[Slit]]],
    associations: Iterable[Association],
    choices: Choices,
) -> list[Family]:
    """Sort exposures into families.

    Parameters
    ----------
    exposures : iterable of (dict, list of Slit)
        As `read_exposures` gives them.
    associations : iterable of Association
        Each is a family of its science members; exposures in none are named after their headers.
    choices : Choices
        The user's.
    """
    known = {exposure["exposure"]: (exposure, slits) for exposure, slits in exposures}
    claimed: set[str] = set()
    families = []
    for association in associations:
        names = list(map(exposure_name, association.science))
        claimed.update(names)
        members = [known[name] for name in names if name in known]
        if not members:
            continue
        instruments = {str(exposure["instrument"]) for exposure, _ in members}
        if len(instruments) > 1:
            raise InputError(
                f"{association.path}: its members are of several instruments "
                f"({', '.join(sorted(instruments))}), products are of one; make it again"
            )
        about = {"pool_name": association.pool, "table_name": os.path.basename(association.path)}
        families.append(
            Family(
                association.template,
                _digits(members, choices),
                {key: value for key, value in about.items() if value},
                [slit for _, slits in members for slit in slits],
            )
        )
    by_headers: dict[str, list[tuple[dict[str, Any], list[Slit]]]] = {}
    for name in known:
        if name not in claimed:
            by_headers.setdefault(_template(known[name][0]), []).append(known[name])
    for template, members in by_headers.items():
        slits = [slit for _, slits in members for slit in slits]
        families.append(Family(template, _digits(members, choices), None, slits))
    return families


def exposure_name(path: str) -> str:
    """Name of an exposure: its file's, without folder and extension.

    Raises
    ------
    InputError
        If it cannot be part of the names of our files, of shell commands and of headers.
    """
    name = os.path.basename(path).removesuffix(".fits")
    if not _SAFE_NAME.fullmatch(name):
        raise InputError(
            f"{path!r}: file names of exposures may have letters, digits and _ . + - only, "
            "200 at most; rename it"
        )
    return name


def _digits(members: list[tuple[dict[str, Any], list[Slit]]], choices: Choices) -> int:
    if choices.source_id_digits != "auto":
        return int(choices.source_id_digits)
    return max(digits_of(exposure["version"]) for exposure, _ in members)


def _template(exposure: dict[str, Any]) -> str:
    """Template from headers; braces in them would be taken for places, so none may pass."""
    words = {key: str(exposure[key] or "") for key in ("program", "observation", "instrument")}
    optics = [exposure[key] for key in ("filter", "grating", "pupil")]
    template = header_template(
        **words,
        elements=optical_elements(*optics),
        slits=exposure["exposure_type"] == "NRS_FIXEDSLIT",
        subarray=exposure["subarray"],
    )
    braces = any("{" in (text or "") for text in (*words.values(), *optics, exposure["subarray"]))
    if braces or not parse_product_name(fill_template(template, "s00001", ["s200a1"])):
        raise InputError(
            f"{exposure['path']}: no product can be named after its headers ({template!r}); "
            "mend PROGRAM, OBSERVTN, INSTRUME, FILTER, GRATING, PUPIL or SUBARRAY, or give an "
            "association"
        )
    return template


def make_products(families: Iterable[Family], choices: Choices) -> list[Product]:
    """Group the slits of each family by source.

    Raises
    ------
    InputError
        If names and ids of sources contradict each other, or two groups would have one file
        name; the message lists every such conflict and how it can be resolved.
    """
    products: dict[str, Product] = {}
    conflicts: list[str] = []
    for family in families:
        groups: dict[Any, list[Slit]] = {}
        for slit in family.slits:
            by_name = choices.group_by == "source_name" and slit.source_name
            key = slit.source_name if by_name else (slit.kind, slit.source_id)
            groups.setdefault(key, []).append(slit)
        if choices.group_by == "auto":
            conflicts += _contradictions(groups)
        for slits in groups.values():
            product = _product(family, slits)
            other = products.setdefault(product.name, product)
            if other is not product:
                conflicts.append(_collision(other, product))
    if conflicts:
        raise InputError(
            f"{len(conflicts)} conflict{'s' * (len(conflicts) > 1)} between sources, nothing is "
            "written:\n" + "\n".join(f"- {conflict}" for conflict in conflicts)
        )
    return sorted(products.values(), key=lambda product: product.name)


def _product(family: Family, slits: list[Slit]) -> Product:
    first = slits[0]
    source = format_source(first.kind, first.source_id, family.digits)
    names = list(dict.fromkeys(slit.slit_name for slit in slits if slit.slit_name))
    name = fill_template(family.template, source, names)
    if not parse_product_name(name) or len(name) > MAX_NAME:
        raise InputError(
            f"{first}: {name!r:.300} is no name of a product; mend the names of its slits "
            f"or the template {family.template!r:.300}"
        )
    return Product(name, first.source_id, first.kind, family.association, slits)


def _contradictions(groups: dict[Any, list[Slit]]) -> Iterator[str]:
    """Tell where names and ids of sources do not agree one to one."""
    by_name: dict[str, dict[tuple[str, int], list[Slit]]] = {}
    for key, slits in groups.items():
        names: dict[str, list[Slit]] = {}
        for slit in slits:
            if slit.source_name:
                names.setdefault(slit.source_name, []).append(slit)
                by_name.setdefault(slit.source_name, {}).setdefault(key, []).append(slit)
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


def _collision(one: Product, other: Product) -> str:
    return (
        f"one file name, two groups: {one.name}_cal.fits for {_places([one.slits, other.slits])}; "
        "'group_by: source_id' makes one product of those that share an id; otherwise leave out "
        "one of the associations or exposures"
    )


def _places(groups: Iterable[list[Slit]]) -> str:
    """List slits of each group in turn, the first few of them."""
    shown = []
    for slits in groups:
        more = len(slits) - MAX_PLACES
        places = ", ".join(map(str, slits[:MAX_PLACES]))
        shown.append(places + (f" and {more} more" if more > 0 else ""))
    return " | ".join(shown)


def manifest(product: Product) -> bytes:
    """Content of a product's manifest: exactly what its gather depends on."""
    return sealed(
        {
            "format": FORMAT,
            "product": product.name,
            "association": product.association,
            "slits": [[slit.exposure, slit.digest] for slit in product.slits],
        }
    )
