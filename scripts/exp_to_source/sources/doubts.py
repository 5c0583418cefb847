"""Doubts: repeated exposures, and products of what may not be one source.

Ids and names make slits one source. Headers also state which exposure a file is, and where its
sources are.
"""

import math
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from typing import NamedTuple

from ..diagnostics import Diagnostic
from ..errors import InputError, list_some, pluralize
from ..modes import FIXED_SLIT, MODES, is_grism
from ..naming import archive_name, find_archive_name, precedes
from .families import IndexedExposure
from .products import Product, exposure_sets

#: Largest distance between positions of one source, in arcsec.
TOLERANCE = 1.0

#: Before this pipeline version, background slitlets could have id, name and position of a source.
OWN_BACKGROUND_IDS_SINCE = (1, 15)

#: Larger regions than this, in arcsec, are not those of a slitlet.
LONGEST_SLITLET = 60.0

#: Maximum number of examples in a message.
MAX_NAMED = 3

#: Exposures by name.
Exposures = Mapping[str, IndexedExposure]


class Doubt(NamedTuple):
    """A sentence, and whether it ends the run by default."""

    text: str
    stops: bool = False


class Sight(NamedTuple):
    """Where an exposure has a source, or its target; empty texts are not known."""

    exposure: str
    #: Right ascension and declination in degrees.
    position: str
    #: That of the target, or of the catalogue of the source.
    name: str

    def __str__(self) -> str:
        name = f"{self.name!r:.80} " if self.name else ""
        where = f"at {self.position} " if self.position else ""
        return f"{name}{where}in {self.exposure}"


def check_doubts(
    products: Collection[Product], exposures: Iterable[IndexedExposure], on_doubt: str
) -> list[Diagnostic]:
    """Warn of doubts; end the run with all of those that `on_doubt` does not let pass.

    "auto" ends it if exposures are repeated, or fixed slits have several targets, as ids do not
    distinguish these.
    """
    by_name = {exposure.name: exposure for exposure in exposures}
    doubts = [
        *repeated_exposures(products, by_name),
        *several_targets(products, by_name),
        *several_positions(products, by_name),
        *stray_slits(products, by_name),
    ]
    stopping = [text for text, stops in doubts if stops or on_doubt == "stop"]
    if stopping and on_doubt != "warn":
        lines = "\n- ".join(["nothing is written:", *stopping] if stopping[1:] else stopping)
        end = "\n" if stopping[1:] else "; or "
        raise InputError(f"{lines}{end}set 'on_doubt: warn' to go on nevertheless")
    return [Diagnostic("warning", text) for text, _ in doubts]


def repeated_exposures(products: Iterable[Product], exposures: Exposures) -> Iterator[Doubt]:
    """Find repeated exposures: of one identity, and with a slit of both in one product.

    Files of one exposure that have different slits are parts of it, and valid.
    """

    def describe(pairs: Counter[tuple[str, str]]) -> str:
        paths = (" and ".join(exposures[name].header["path"] for name in pair) for pair in pairs)
        return f"{pluralize(pairs.total(), 'slit')}): {list_some(paths, '; ', MAX_NAMED)}"

    keys: dict[str, tuple[str, ...]] = {}
    for name, (header, *_) in exposures.items():
        # Later pipelines may have corrected the clock: it counts for want of a number only.
        start = "" if header.get("exposure_number") else header.get("start", "")[:9]
        elements = (header.get(key, "") for key in ("filter", "grating", "pupil", "segment"))
        keys[name] = archive_name(header), start, *elements
    repeated = _count_pairs(products, exposures, identify(exposures, keys))
    if repeated:
        yield Doubt(
            "exposures that are given twice, under two names, would be in products twice "
            f"({describe(repeated)}; leave one of each out",
            stops=True,
        )
    similar: dict[str, Hashable] = {}
    for name, key in keys.items():
        header = exposures[name].header
        archived = find_archive_name(header.get("filename", ""))
        similar[name] = (key, archived) if header.get("exposure_number") else name
    possible = _count_pairs(products, exposures, similar)
    for pair in repeated:
        del possible[pair]
    if possible:
        yield Doubt(
            f"exposures may be given twice: all but their FILENAME says that they are one "
            f"({describe(possible)}; leave one of each out if they are"
        )


def _count_pairs(
    products: Iterable[Product], exposures: Exposures, identities: Mapping[str, Hashable]
) -> Counter[tuple[str, str]]:
    """Count the slits that two exposures of one identity have in one product."""
    count = Counter(identities.values())
    pairs: Counter[tuple[str, str]] = Counter()
    if len(count) == len(identities):
        return pairs
    for product in products:
        first: dict[Hashable, str] = {}
        for slit in product.slits:
            identity = identities[slit.exposure]
            if count[identity] > 1:
                # A grism has a slit for each order, all of one name.
                grism = is_grism(exposures[slit.exposure].header["exposure_type"])
                key = identity, slit.slit_name, slit.shape if grism else ()
                if (other := first.setdefault(key, slit.exposure)) != slit.exposure:
                    pairs[other, slit.exposure] += 1
    return pairs


def identify(exposures: Exposures, keys: Mapping[str, tuple[str, ...]]) -> dict[str, Hashable]:
    """Identify exposures by their numbers, and the name in FILENAME.

    Simulated exposures may have all numbers in common. The name is that of the archive, with
    anything before and after it, or any other.
    """
    files = {name: exposures[name].header.get("filename", "") for name in keys}
    archived = {(key, find_archive_name(files[name])) for name, key in keys.items()}
    identities: dict[str, Hashable] = {}
    for name, key in keys.items():
        default = key[0] if (key, key[0]) in archived else files[name] or name
        identities[name] = (key, find_archive_name(files[name]) or default)
    return identities


def several_targets(products: Iterable[Product], exposures: Exposures) -> Iterator[Doubt]:
    """Find fixed slits of several targets in one product, as each target has the same ids."""
    sights = {
        name: Sight(name, header.get("target_position", ""), header.get("target", ""))
        for name, (header, *_) in exposures.items()
        if header["exposure_type"] == FIXED_SLIT and not is_moving(header)
    }
    if len(sights) < 2:
        return
    for product, names in exposure_sets(p for p in products if not p.joined):
        targets = distinguish(sights[name] for name in names if name in sights)
        if len(targets) > 1:
            yield Doubt(
                f"{product.name} would be of {len(targets)} targets, as fixed slits have the same "
                f"ids for each: {list_some(targets, '; ', MAX_NAMED)}; give an association "
                "for each",
                stops=True,
            )


def several_positions(products: Iterable[Product], exposures: Exposures) -> Iterator[Doubt]:
    """Find sources at several positions, as ids of several catalogues are alike."""
    catalogs = {
        name: header.get("source_catalog" if is_grism(header["exposure_type"]) else "msa_file", "")
        for name, (header, *_) in exposures.items()
        if header["exposure_type"] != FIXED_SLIT and not is_moving(header)
    }
    combined = []
    for product in products:
        # All texts are equal, as a rule.
        if len({slit.position for slit in product.slits}) > 1 and not product.joined:
            sights = distinguish(
                Sight(slit.exposure, slit.position, catalogs[slit.exposure])
                for slit in product.slits
                if slit.position and slit.class_ == "s" and slit.exposure in catalogs
            )
            if len(sights) > 1:
                combined.append(f"{product.name}: {list_some(sights, limit=MAX_NAMED)}")
    if combined:
        yield Doubt(
            f'{pluralize(len(combined), "product")} would combine sources more than {TOLERANCE:g}" '
            f"apart, which have one id: {list_some(combined, '; ', MAX_NAMED)}; give an "
            "association for the exposures of each catalogue"
        )


def stray_slits(products: Iterable[Product], exposures: Exposures) -> Iterator[Doubt]:
    """Find slits that do not see the source whose id they have: background slitlets, long ago."""
    old = {
        name
        for name, (header, *_) in exposures.items()
        if header["exposure_type"] == MODES["mos"].exposure_type
        and precedes(header["version"], OWN_BACKGROUND_IDS_SINCE)
    }
    strays: dict[str, list[str]] = {}
    for product in products if old else ():
        for slit in product.slits:
            is_source = slit.exposure in old and slit.class_ == "s"
            if is_source and is_outside(slit.position, slit.region):
                strays.setdefault(slit.exposure, []).append(slit.slit_name)
    for name, slits in strays.items():
        yield Doubt(
            f"{exposures[name].header['path']}: the footprint of {pluralize(len(slits), 'slit')} "
            f"({list_some(slits, limit=MAX_NAMED)}) does not cover the source, so that it may be "
            "background with the id of a source, as before pipeline version 1.15; nothing is wrong "
            "if the source is extended, otherwise give another id with 'joins'"
        )


def distinguish(sights: Iterable[Sight]) -> list[Sight]:
    """List the first sight of each source; known positions decide, or else names."""

    def differ(one: Sight, other: Sight) -> bool:
        if one.position and other.position:
            return separation(one.position, other.position) > TOLERANCE
        return bool(one.name and other.name) and one.name != other.name

    first: list[Sight] = []
    for sight in sights:
        if all(differ(sight, other) for other in first):
            first.append(sight)
    return first


def separation(position: str, other: str) -> float:
    """Compute the angle between two positions, in arcsec."""
    if position == other:
        return 0
    (ra, dec), (other_ra, other_dec) = (
        map(math.radians, map(float, text.split())) for text in (position, other)
    )
    sine = math.sin((dec - other_dec) / 2) ** 2
    sine += math.cos(dec) * math.cos(other_dec) * math.sin((ra - other_ra) / 2) ** 2
    return 3600 * math.degrees(2 * math.asin(min(1, math.sqrt(sine))))


def is_outside(position: str, region: str) -> bool:
    """Whether a position is outside the box around the footprint (S_REGION) of a slitlet.

    False if either is not known, or the region is that of a whole field.
    """
    try:
        corners = [float(word) for word in region.split()[2:]]
        ra, dec = map(float, position.split())
    except ValueError:
        return False
    # From the position, so that the box may contain the meridian.
    shrink = 3600 * math.cos(math.radians(dec))
    across = [shrink * ((angle - ra + 180) % 360 - 180) for angle in corners[::2]]
    along = [3600 * (angle - dec) for angle in corners[1::2]]
    box = [(min(offsets), max(offsets)) for offsets in (across, along) if offsets]
    return all(high - low < LONGEST_SLITLET for low, high in box) and any(
        low > TOLERANCE or high < -TOLERANCE for low, high in box
    )


def is_moving(header: Mapping[str, str]) -> bool:
    """Whether the target of an exposure moves: positions of its sources are those of one time."""
    return header.get("target_type", "").upper() == "MOVING"
