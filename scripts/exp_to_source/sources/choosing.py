"""The user's choice among the sources of all exposures; docs/how-to/choose.md lists its items."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ..errors import InputError, list_some, pluralize
from .places import RADIUS, Place, find_near, find_nearest, format_distance, parse_place
from .source_list import Source

CLASSES = ("s", "b", "v")

#: Maximum number of near misses, or ids, in a message.
MAX_NEAR = 4

_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)
_WHOLE = re.compile(r"(-?[0-9]+)\.0*", re.ASCII)
_DECIMAL = re.compile(r"[+-]?[0-9]+\.[0-9]+", re.ASCII)
_RANGE = re.compile(r"(-?[0-9]+)-(-?[0-9]+)", re.ASCII)
_FORM = re.compile(r"([sbv])([0-9]+)", re.ASCII | re.IGNORECASE)
_PREFIXED = re.compile(r"(class|slit|name):(.*)", re.IGNORECASE | re.DOTALL)


class SourceFilter(NamedTuple):
    """Which sources the user chose (config keys)."""

    #: Items; none means all.
    sources: Sequence[str] = ()
    exclude: Sequence[str] = ()
    #: Least number of exposures of a source.
    min_exposures: int = 1
    #: Ids, names of products or places of a catalogue, which are chosen in addition to `sources`;
    #: ids decide.
    catalog: Sequence[int | str | Place] | None = None
    #: Greatest distance of a source from a place without a radius of its own, in arcsec.
    radius: float = RADIUS


ALL_SOURCES = SourceFilter()


def parse_items(setting: str | float | Iterable[str | float]) -> list[str]:
    """Parse items in the configuration: a number, a text with commas, or a list."""
    if isinstance(setting, str):
        setting = setting.split(",")
    items = []
    for value in [setting] if isinstance(setting, int | float) else setting:
        item = f"{value:.0f}" if isinstance(value, float) else str(value).strip()
        # Spreadsheets write whole numbers like this, too.
        if match := _WHOLE.fullmatch(item):
            item = match[1]
        if not (item and item.isprintable()):
            raise InputError(
                f"sources, exclude: {item!r} cannot be an item of a choice; correct it"
            )
        items.append(item)
    return items


class SourceSearch:
    """All sources of a run, searchable by items.

    Places match sources of class s, except for those of `moving`, names of products of moving
    targets; `radius` is that of `SourceFilter`.
    """

    def __init__(
        self, sources: Iterable[Source], radius: float = RADIUS, moving: Collection[str] = ()
    ) -> None:
        self.all = list(sources)
        self.radius = radius
        self.moving = moving
        self.placed: list[Source] = []
        self.positions: list[tuple[float, float]] = []
        for s in self.all:
            if s.class_ == "s" and s.product not in moving and s.ra is not None is not s.dec:
                self.placed.append(s)
                self.positions.append((s.ra, s.dec))
        #: Sentences for the user.
        self.notes: list[str] = []
        self.by_id: dict[tuple[str, int], list[Source]] = {}
        for source in self.all:
            self.by_id.setdefault((source.class_, source.source_id), []).append(source)

    def find(self, item: str) -> list[Source]:
        """Find the sources that an item matches; refuse items that have no meaning."""
        if _NUMBER.fullmatch(item):
            by_id = self.with_number(int(item))
            # YAML and Python take a name such as 1345_61 for the number 134561.
            by_name = [
                source
                for source in self.all
                if "_" in source.source_name
                and any("_" in name and name.replace("_", "") == item for name in source.names)
            ]
            if by_id and any(source not in by_id for source in by_name):
                form, name = by_id[0].class_ + item.lstrip("-"), by_name[0].names[0]
                raise InputError(
                    f"{item!r} may be an id or, as YAML passes over _ in numbers, the name "
                    f"{name!r}; write {form} or name:{name}"
                )
            return by_id or by_name
        if match := _RANGE.fullmatch(item):
            low, high = map(int, match.groups())
            if low > high:
                raise InputError(
                    f"{item!r} is a range that ends before it begins; write the smaller id first"
                )
            return [s for s in self.all if s.class_ != "b" and low <= s.source_id <= high]
        if match := _PREFIXED.fullmatch(item):
            what, pattern = match[1].lower(), match[2].strip()
            if what == "name":
                return self.with_name(pattern)
            if what == "slit":
                return [s for s in self.all if any(matches(n, pattern) for n in s.slit_names)]
            if pattern.lower() not in CLASSES:
                raise InputError(f"{item!r} is not a class: these are class:s, class:b and class:v")
            return [s for s in self.all if s.class_ == pattern.lower()]
        if match := _FORM.fullmatch(item):
            class_, number = match[1].lower(), int(match[2])
            by_id = [s for sign in {1, -1} for s in self.by_id.get((class_, sign * number), ())]
            return by_id or self.with_name(item)
        named = self.with_name(item)
        place = None if named else parse_place(item, self.radius)
        return [source for _, source in self.at([place])[0]] if place else named

    def at(self, places: Sequence[Place]) -> list[list[tuple[float, Source]]]:
        """Find the source at each place, with its distance: one a product group; refuse two."""
        if not self.positions:
            raise InputError(
                f"{places[0].text}: no source has a place (SRCRA, SRCDEC)"
                f"{' that does not move' if self.moving else ''}; choose by id"
            )
        if self.moving:
            self.notes = [
                f"{pluralize(len(self.moving), 'product')} of moving targets cannot be chosen by "
                "place"
            ]
        near = find_near(places, self.positions)
        ambiguous = []
        for place, pairs in zip(places, near, strict=True):
            families = Counter(self.placed[number].family for _, number in pairs)
            if max(families.values(), default=0) > 1:
                several = list_some(self.list_distances(pairs), limit=MAX_NEAR)
                ambiguous.append(f"{place.text} has {several}")
        if ambiguous:
            raise InputError(
                f"several sources are near a place: {list_some(ambiguous, '; ', MAX_NEAR)}; choose "
                "one by id, or a smaller radius"
            )
        return [[(distance, self.placed[number]) for distance, number in pairs] for pairs in near]

    def list_distances(self, pairs: Iterable[tuple[float, int]]) -> list[str]:
        """List sources with their distances (arcsec)."""
        return [f"{self.placed[n].source_id} at {format_distance(d)}" for d, n in pairs]

    def with_number(self, number: int) -> list[Source]:
        """Find sources and virtual slits by id."""
        return [s for class_ in ("s", "v") for s in self.by_id.get((class_, number), ())]

    def with_name(self, item: str) -> list[Source]:
        """Find the sources with a name, or whose product has this name."""
        product = item.removesuffix(".fits").removesuffix("_cal")
        return [
            s
            for s in self.all
            if matches(s.product, product) or any(matches(name, item) for name in s.names)
        ]

    def closest(self, item: str) -> list[str]:
        """List the items that are closest to one that matches nothing."""
        import difflib

        if place := parse_place(item, self.radius):
            return self.closest_to([place])
        what = match[1].lower() if (match := _PREFIXED.fullmatch(item)) else ""
        if what == "class":
            return [f"class:{c}" for c in CLASSES if any(s.class_ == c for s in self.all)]
        # An id, with or without its class, or a range of ids.
        if not what and any(pattern.fullmatch(item) for pattern in (_NUMBER, _RANGE, _FORM)):
            numbers = [int(n) for n in re.findall(r"-?\d+", re.sub(r"(?<=\d)-", " ", item))]
            distances = {
                (min(abs(abs(s.source_id) - abs(n)) for n in numbers), CLASSES.index(s.class_)): s
                for s in reversed(self.all)
            }
            nearest = (distances[key] for key in sorted(distances)[:MAX_NEAR])
            return [f"{'b' * (s.class_ == 'b')}{s.source_id}" for s in nearest]
        text = match[2].strip() if match else item
        names = (s.slit_names if what == "slit" else (*s.names, s.product) for s in self.all)
        by_lower = {name.lower(): name for several in names for name in several if name}
        close = difflib.get_close_matches(text.lower(), by_lower, MAX_NEAR, 0.5)
        return [f"slit:{by_lower[name]}" if what == "slit" else by_lower[name] for name in close]

    def closest_to(self, places: Sequence[Place]) -> list[str]:
        """List the sources that are closest to places, with their distances."""
        nearest = find_nearest(places, self.positions)[:MAX_NEAR]
        return self.list_distances((distance, number) for distance, number, _ in nearest)

    def products_of(self, key: str, items: Iterable[str]) -> dict[str, str]:
        """Find the products that the items of a setting match, each with the first that does."""
        try:
            matched = {item: self.find(item) for item in items}
        except InputError as error:
            raise InputError(f"{key}: {error}") from None
        if missing := [item for item, sources in matched.items() if not sources]:
            near = (name for item in missing for name in self.closest(item))
            remedy = f"correct the setting {key!r}"
            if any(map(_DECIMAL.fullmatch, missing)):
                remedy = "write a place with a blank between its numbers: '53.1632 -27.8021'"
            raise InputError(
                f"{key}: no source matches {list_some(map(repr, missing), limit=MAX_NEAR)}; "
                f"{_format_near(near)}{remedy}"
            )
        return {s.product: item for item, sources in reversed(matched.items()) for s in sources}

    def products_of_catalog(self, catalog: Sequence[int | str | Place]) -> set[str]:
        """Find the products of ids, names or places; note those that match nothing."""
        places = [item for item in catalog if isinstance(item, Place)]
        ids = [item.source_id if isinstance(item, Place) else item for item in catalog]
        what, one, none, within = "ids", "is a source", "are no sources", ""
        by_product = {source.product: [source] for source in self.all}
        matched: dict[Any, list[Source]] = {
            id_: by_product.get(id_, []) if isinstance(id_, str) else self.with_number(id_)
            for id_ in ids
            if id_ is not None
        }
        if matched:
            self.note_elsewhere(places)
            places = []
        else:
            what, one, none = "places", "has a source", "have no source"
            within = f' within {self.radius:g}"'
            matched = self.at_different(places)
        missing = [item for item, sources in matched.items() if not sources]
        if len(missing) == len(matched):
            near = self.closest_to(places) if places else self.closest(str(missing[0]))
            raise InputError(
                f"catalog: none of its {len(matched)} {what} {one} of these exposures{within}; "
                f"{_format_near(near)}correct the setting 'catalog'{' or radius' * bool(places)}"
            )
        if missing:
            self.notes.append(
                f"catalog: {len(missing)} of its {len(matched)} {what} {none} of these "
                f"exposures{within}: {list_some(missing, limit=MAX_NEAR)}"
            )
        return {source.product for sources in matched.values() for source in sources}

    def note_elsewhere(self, places: Sequence[Place]) -> None:
        """Note the ids of a catalogue whose sources are not at their places in it."""
        near = find_near(places, self.positions)
        placed = {source.source_id for source in self.placed}
        elsewhere = [
            place.source_id
            for place, pairs in zip(places, near, strict=True)
            if place.source_id in placed
            and place.source_id not in {self.placed[number].source_id for _, number in pairs}
        ]
        if elsewhere:
            self.notes.append(
                f"catalog: {len(elsewhere)} of its ids are of sources that are not within "
                f'{self.radius:g}" of their places in it ({list_some(elsewhere, limit=MAX_NEAR)}); '
                "if it has other numbers than the exposures, remove its column of ids, so that "
                "places decide"
            )

    def at_different(self, places: Sequence[Place]) -> dict[str, list[Source]]:
        """Find the sources at the places of a catalogue; refuse two places of one source."""
        try:
            found = self.at(places)
        except InputError as error:
            raise InputError(f"catalog: {error}") from None
        places_of: dict[str, list[str]] = {}
        for place, near in zip(places, found, strict=True):
            for distance, source in near:
                text = f"{place.text} at {format_distance(distance)}"
                places_of.setdefault(source.product, []).append(text)
        shared = [
            f"{product} has {list_some(texts, limit=MAX_NEAR)}"
            for product, texts in places_of.items()
            if len(texts) > 1
        ]
        if shared:
            raise InputError(
                f"catalog: several places are near a source: {list_some(shared, '; ', MAX_NEAR)}; "
                "leave one out, or choose a smaller radius"
            )
        return {
            place.text: [source for _, source in near]
            for place, near in zip(places, found, strict=True)
        }


def _format_near(names: Iterable[str]) -> str:
    near = list(dict.fromkeys(names))[: 2 * MAX_NEAR]
    return f"near misses: {', '.join(near)}; " if near else ""


def matches(name: str, pattern: str) -> bool:
    """Whether a name is that of a pattern, or matches it as a glob; case is ignored."""
    name, pattern = name.lower(), pattern.lower()
    return name == pattern or (bool(name) and fnmatchcase(name, pattern))


def choose(
    sources: Collection[Source], source_filter: SourceFilter, moving: Collection[str] = ()
) -> tuple[dict[str, str], list[str]]:
    """Find the products that the user's choice leaves out, with the reason, and notes.

    An item that matches no source is an error, and so is it if no source is left. Places do not
    match products of `moving` targets.
    """
    catalog, min_exposures = source_filter.catalog, source_filter.min_exposures
    search = SourceSearch(sources, source_filter.radius, moving)
    chosen = set(search.products_of("sources", source_filter.sources))
    excluded = search.products_of("exclude", source_filter.exclude)
    if catalog is not None:
        chosen |= search.products_of_catalog(catalog)
    everything = not source_filter.sources and catalog is None
    left_out = {}
    for source in sources:
        if not everything and source.product not in chosen:
            left_out[source.product] = "not chosen"
        elif source.product in excluded:
            left_out[source.product] = f"excluded by {excluded[source.product]}"
        elif source.exposures < min_exposures:
            left_out[source.product] = f"fewer than {min_exposures} exposures"
    if sources and len(left_out) == len(sources):
        counts = ", ".join(f"{reason}: {n}" for reason, n in Counter(left_out.values()).items())
        raise InputError(
            f"none of the {len(sources)} sources is left to be made: {counts}; correct the "
            "settings 'sources', 'catalog', 'exclude' or 'min_exposures'"
        )
    return left_out, search.notes
