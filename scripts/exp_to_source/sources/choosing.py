"""The user's choice among the sources of all exposures; docs/how-to/choose.md lists its items."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ..errors import InputError, list_some
from .source_list import Source

CLASSES = ("s", "b", "v")

#: Maximum number of near misses, or ids, in a message.
MAX_NEAR = 4

_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)
_WHOLE = re.compile(r"(-?[0-9]+)\.0*", re.ASCII)
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
    #: Ids of a catalogue, which are chosen in addition to `sources`.
    catalog: Sequence[int] | None = None


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
    """All sources of a run, searchable by items."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self.all = list(sources)
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
        return self.with_name(item)

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

    def hint_for(self, items: Iterable[Any]) -> str:
        """Format the items that are closest to those that match nothing."""
        near = dict.fromkeys(name for item in items for name in self.closest(str(item)))
        return f"near misses: {', '.join(list(near)[: 2 * MAX_NEAR])}; " if near else ""

    def products_of(self, key: str, items: Iterable[str]) -> dict[str, str]:
        """Find the products that the items of a setting match, each with the first that does."""
        try:
            matched = {item: self.find(item) for item in items}
        except InputError as error:
            raise InputError(f"{key}: {error}") from None
        if missing := [item for item, sources in matched.items() if not sources]:
            raise InputError(
                f"{key}: no source matches {list_some(map(repr, missing), limit=MAX_NEAR)}; "
                f"{self.hint_for(missing)}correct the setting {key!r}"
            )
        return {s.product: item for item, sources in reversed(matched.items()) for s in sources}


def matches(name: str, pattern: str) -> bool:
    """Whether a name is that of a pattern, or matches it as a glob; case is ignored."""
    name, pattern = name.lower(), pattern.lower()
    return name == pattern or (bool(name) and fnmatchcase(name, pattern))


def choose(
    sources: Collection[Source], source_filter: SourceFilter
) -> tuple[dict[str, str], list[str]]:
    """Find the products that the user's choice leaves out, with the reason, and notes.

    An item that matches no source is an error, and so is it if no source is left.
    """
    catalog, min_exposures = source_filter.catalog, source_filter.min_exposures
    search = SourceSearch(sources)
    chosen = set(search.products_of("sources", source_filter.sources))
    excluded = search.products_of("exclude", source_filter.exclude)
    notes = []
    if catalog is not None:
        matched = {number: search.with_number(number) for number in catalog}
        chosen |= {source.product for found in matched.values() for source in found}
        missing = [number for number, found in matched.items() if not found]
        if len(missing) == len(matched):
            raise InputError(
                f"catalog: none of its {len(catalog)} ids is a source of these exposures; "
                f"{search.hint_for(catalog[:1])}correct the setting 'catalog'"
            )
        if missing:
            notes.append(
                f"catalog: {len(missing)} of its {len(catalog)} ids are no sources of these "
                f"exposures: {list_some(missing, limit=MAX_NEAR)}"
            )
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
    return left_out, notes
