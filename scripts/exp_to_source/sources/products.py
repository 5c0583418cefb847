"""Which slits belong together, and what the products are called."""

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .. import FORMAT
from ..errors import InputError
from ..formats.indices import IndexReader, sealed
from ..naming import (
    FIXED_SLIT_IDS,
    digits_of,
    fill_template,
    format_source,
    header_template,
    modern_name,
    optical_elements,
    parse_product_name,
    source_kind,
)
from .associations import Association
from .conflicts import collision, contradictions

#: Names that are safe as parts of file names of our own.
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,199}")

#: Longer names of products leave no room for what is added: file systems allow 255 bytes.
MAX_NAME = 220


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
    detector: str = ""
    optics: str = ""
    shape: tuple[int, ...] = ()
    wavelengths: tuple[float, float] | None = None
    program: str = ""

    @property
    def kind(self) -> str:
        """Class of its source."""
        return source_kind(self.source_id, self.source_name)

    @property
    def modern_name(self) -> str:
        """Name of its source, by which exposures of all versions are told apart."""
        return modern_name(self.source_name, self.program)

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
    """A product to be made: its name without ``_cal``, and its slits in order.

    If it is joined by the user, it has the names of the products that its slits would be in
    otherwise, and maybe a name for the source.
    """

    name: str
    source_id: int
    kind: str
    association: dict[str, str] | None
    slits: list[Slit]
    joined: tuple[str, ...] = ()
    label: str = ""


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
            about = _optics(index.exposure)
            heads = index.heads()
            yield index.exposure, [_slit(index.exposure, about, head, choices) for head in heads]


def _optics(exposure: dict[str, Any]) -> tuple[str, str]:
    """Detector; instrument with optical elements, nothing where there is no exposure."""
    if "failure" in exposure:
        return "", ""
    elements = optical_elements(*(exposure[key] for key in ("filter", "grating", "pupil")))
    return str(exposure["detector"] or "").lower(), f"{exposure['instrument']}_{elements}".lower()


def _slit(
    exposure: dict[str, Any], about: tuple[str, str], head: list[Any], choices: Choices
) -> Slit:
    digest, source_id, source_name, slit_name, kind, planes, size, shape, waves = head
    if choices.fixed_slit_ids == "table" and kind == "NRS_FIXEDSLIT":
        source_id = FIXED_SLIT_IDS.get(slit_name.upper(), source_id)
    if source_id is None:
        raise InputError(
            f"{exposure['path']}: slit {slit_name or '?'} has no SOURCEID; "
            "set the keyword in its SCI header"
        )
    who = (source_id, source_name, slit_name)
    return Slit(
        exposure["exposure"],
        digest,
        *who,
        planes,
        size,
        *about,
        tuple(shape),
        waves and tuple(waves),
        exposure["program"] or "",
    )


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


def group_slits(slits: Iterable[Slit], choices: Choices) -> dict[Any, list[Slit]]:
    """Group the slits of a family by source."""
    groups: dict[Any, list[Slit]] = {}
    for slit in slits:
        by_name = choices.group_by == "source_name" and slit.modern_name
        key = slit.modern_name if by_name else (slit.kind, slit.source_id)
        groups.setdefault(key, []).append(slit)
    return groups


def make_products(
    families: Iterable[Family], choices: Choices, joined: Iterable[Product] = ()
) -> list[Product]:
    """Group the slits of each family by source; joined products are there already.

    Raises
    ------
    InputError
        If names and ids of sources contradict each other, or two groups would have one file
        name; the message lists every such conflict and how it can be resolved.
    """
    made = list(joined)
    conflicts: list[str] = []
    for family in families:
        groups = group_slits(family.slits, choices)
        if choices.group_by == "auto":
            conflicts += contradictions(groups)
        for slits in groups.values():
            kind, source_id = slits[0].kind, slits[0].source_id
            name = name_product(family, slits, kind, source_id)
            made.append(Product(name, source_id, kind, family.association, slits))
    products: dict[str, Product] = {}
    for product in made:
        other = products.setdefault(product.name, product)
        if other is not product:
            conflicts.append(collision(other, product))
    if conflicts:
        raise InputError(
            f"{len(conflicts)} conflict{'s' * (len(conflicts) > 1)} between sources, nothing is "
            "written:\n" + "\n".join(f"- {conflict}" for conflict in conflicts)
        )
    return sorted(products.values(), key=lambda product: product.name)


def name_product(family: Family, slits: list[Slit], kind: str, source_id: int) -> str:
    """Name the product of a source.

    Raises
    ------
    InputError
        If it would be no name of a product.
    """
    source = format_source(kind, source_id, family.digits)
    names = list(dict.fromkeys(slit.slit_name for slit in slits if slit.slit_name))
    name = fill_template(family.template, source, names)
    if not _is_product(name):
        # The first slit that would have no product by itself; else, too many names in one.
        alone = ((slit, fill_template(family.template, source, [slit.slit_name])) for slit in slits)
        bad = next((slit for slit, own in alone if not _is_product(own)), None)
        longest = max(slits, key=lambda slit: len(slit.slit_name))
        raise InputError(
            f"{bad or longest}: {name!r:.300} is no name of a product; mend the names of its slits "
            f"or the template {family.template!r:.300}"
        )
    return name


def _is_product(name: str) -> bool:
    return parse_product_name(name) is not None and len(name) <= MAX_NAME


def manifest(product: Product) -> bytes:
    """Content of a product's manifest: exactly what its gather depends on."""
    return sealed(
        {
            "format": FORMAT,
            "product": product.name,
            "association": product.association,
            "slits": [[slit.exposure, slit.digest] for slit in product.slits],
            "joined": product.joined,
        }
    )
