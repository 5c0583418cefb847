"""The sources that are made into products: the user's choice among all in the exposures.

An item of a choice is one of

==================  ============================================================================
item                sources that it matches
==================  ============================================================================
``61``              SOURCEID 61 (not background slitlets); ``-12`` is a virtual slit
``100-120``         SOURCEID 100 to 120, both included
``b00045``          that class and number, any number of zeros; ``v00012`` is SOURCEID -12
``class:s``         a class: ``s`` source, ``b`` background slitlet, ``v`` virtual slit
``slit:S200A1``     with a slit of that name
``1345_*``          anything else: SRCNAME or name of a product, or a glob
``name:61``         the same, for names that look like something else
==================  ============================================================================
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ..errors import InputError

CLASSES = ("s", "b", "v")

#: Maximum number of near misses, or ids, in a message.
MAX_NEAR = 4

_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)
_RANGE = re.compile(r"(-?[0-9]+)-(-?[0-9]+)", re.ASCII)
_FORM = re.compile(r"([sbv])([0-9]+)", re.ASCII | re.IGNORECASE)
_PREFIXED = re.compile(r"(class|slit|name):(.*)", re.IGNORECASE | re.DOTALL)


class SourceFilter(NamedTuple):
    """What the user chose (config keys).

    Attributes
    ----------
    sources, exclude : sequence of str
        Items; empty `sources` means all.
    min_exposures : int
        Least number of exposures of a source.
    catalog : sequence of int or None
        Ids of a catalogue, which are chosen in addition to `sources`.
    """

    sources: Sequence[str] = ()
    exclude: Sequence[str] = ()
    min_exposures: int = 1
    catalog: Sequence[int] | None = None


#: No choice.
ALL_SOURCES = SourceFilter()


class Source(NamedTuple):
    """Properties of a source that a choice uses, with the name of its product."""

    product: str
    kind: str
    source_id: int
    names: tuple[str, ...]
    slit_names: tuple[str, ...]
    exposures: int

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "Source":
        """Source from a row of the source list; its names may contain commas."""
        texts = (row["source_name"], row["slit_name"])
        names, slits = (tuple(dict.fromkeys((text, *text.split(",")))) for text in texts)
        number, exposures = int(row["source_id"]), int(row["exposures"])
        return cls(row["product"], row["class"], number, names, slits, exposures)


def parse_items(given: str | int | Iterable[str | int]) -> list[str]:
    """Items in the configuration: a number, a text with commas, or a list.

    Raises
    ------
    InputError
        If one of them does not fit in a list of one item per line.
    """
    if isinstance(given, str):
        given = given.split(",")
    items = [str(item).strip() for item in ([given] if isinstance(given, int) else given)]
    for item in items:
        if not (item and item.isprintable()):
            raise InputError(
                f"sources, exclude: {item!r} cannot be an item of a choice; correct it"
            )
    return items


def is_number(item: str) -> bool:
    """Whether an item of a choice is an id, with or without its class, or a range of ids."""
    return any(pattern.fullmatch(item) for pattern in (_NUMBER, _RANGE, _FORM))


class Sources:
    """All sources of a run, searchable by items."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self.all = list(sources)
        self.by_id: dict[tuple[str, int], list[Source]] = {}
        for source in self.all:
            self.by_id.setdefault((source.kind, source.source_id), []).append(source)

    def find(self, item: str) -> list[Source]:
        """Find the sources that an item matches.

        Raises
        ------
        InputError
            If the item has no meaning.
        """
        if _NUMBER.fullmatch(item):
            found, named = self.of_number(int(item)), self.of_bare_digits(item)
            if found and any(source not in found for source in named):
                form, other = found[0].kind + item.lstrip("-"), named[0].names[0]
                raise InputError(
                    f"{item!r} may be an id or, as YAML passes over _ in numbers, the name "
                    f"{other!r}; write {form} or name:{other}"
                )
            return found or named
        if match := _RANGE.fullmatch(item):
            low, high = map(int, match.groups())
            if low > high:
                raise InputError(
                    f"{item!r} is a range that ends before it begins; write the smaller id first"
                )
            return [s for s in self.all if s.kind != "b" and low <= s.source_id <= high]
        if match := _PREFIXED.fullmatch(item):
            what, wanted = match[1].lower(), match[2].strip()
            if what == "name":
                return self.named(wanted)
            if what == "slit":
                return [s for s in self.all if any(_is(name, wanted) for name in s.slit_names)]
            if wanted.lower() not in CLASSES:
                raise InputError(f"{item!r} is no class: these are class:s, class:b and class:v")
            return [s for s in self.all if s.kind == wanted.lower()]
        if match := _FORM.fullmatch(item):
            kind, number = match[1].lower(), int(match[2])
            found = [s for sign in {1, -1} for s in self.by_id.get((kind, sign * number), ())]
            return found or self.named(item)
        return self.named(item)

    def of_number(self, number: int) -> list[Source]:
        """Find sources and virtual slits by id."""
        return [s for kind in ("s", "v") for s in self.by_id.get((kind, number), ())]

    def of_bare_digits(self, item: str) -> list[Source]:
        """Find sources named like 1345_61, which YAML and Python take for the number 134561."""
        return [
            source
            for source in self.all
            if any("_" in name and name.replace("_", "") == item for name in source.names)
        ]

    def named(self, item: str) -> list[Source]:
        """Find the sources with a name, or whose product has this name."""
        product = item.removesuffix(".fits").removesuffix("_cal")
        return [
            s for s in self.all if _is(s.product, product) or any(_is(n, item) for n in s.names)
        ]

    def near(self, item: str) -> list[str]:
        """List what is nearest to an item that matches nothing."""
        import difflib

        numbers = [int(n) for n in re.findall(r"-?\d+", re.sub(r"(?<=\d)-", " ", item))]
        what = match[1].lower() if (match := _PREFIXED.fullmatch(item)) else ""
        if what == "class":
            return [f"class:{kind}" for kind in CLASSES if any(s.kind == kind for s in self.all)]
        if not what and is_number(item):
            distances = {
                (min(abs(abs(s.source_id) - abs(n)) for n in numbers), CLASSES.index(s.kind)): s
                for s in reversed(self.all)
            }
            return [_form(distances[key]) for key in sorted(distances)[:MAX_NEAR]]
        text = match[2].strip() if match else item
        names = (s.slit_names if what == "slit" else (*s.names, s.product) for s in self.all)
        known = {name.lower(): name for several in names for name in several if name}
        close = difflib.get_close_matches(text.lower(), known, MAX_NEAR, 0.5)
        return [f"{what}:{known[name]}" if what == "slit" else known[name] for name in close]


def _is(name: str, wanted: str) -> bool:
    name, wanted = name.lower(), wanted.lower()
    return name == wanted or (bool(name) and fnmatchcase(name, wanted))


def _form(source: Source) -> str:
    """Format a source as an item."""
    return f"b{source.source_id}" if source.kind == "b" else str(source.source_id)


def choose(
    sources: Iterable[Source], source_filter: SourceFilter
) -> tuple[dict[str, str], list[str]]:
    """Find the sources that the user's choice leaves out.

    Parameters
    ----------
    sources : iterable of Source
        All that the exposures have.
    source_filter : SourceFilter
        The user's.

    Returns
    -------
    left_out : dict
        Name of a product to the reason why it is left out.
    remarks : list of str
        What the user should know, in a sentence each.

    Raises
    ------
    InputError
        If an item matches no source, or no source is left to make.
    """
    known = Sources(sources)
    wanted = set(_found(known, "sources", source_filter.sources))
    excluded = _found(known, "exclude", source_filter.exclude)
    remarks = []
    if source_filter.catalog is not None:
        missing = [number for number in source_filter.catalog if not known.of_number(number)]
        matched = {s.product for n in source_filter.catalog for s in known.of_number(n)}
        if not matched:
            raise InputError(
                f"catalog: none of its {len(source_filter.catalog)} ids is a source of these "
                f"exposures; {_near(known, source_filter.catalog[:1])}correct the setting 'catalog'"
            )
        if missing:
            shown = ", ".join(map(str, missing[:MAX_NEAR])) + " ..." * (len(missing) > MAX_NEAR)
            remarks.append(
                f"catalog: {len(missing)} of its {len(source_filter.catalog)} ids are no sources "
                f"of these exposures: {shown}"
            )
        wanted |= matched
    everything = not source_filter.sources and source_filter.catalog is None
    left_out = {}
    for source in known.all:
        if not everything and source.product not in wanted:
            left_out[source.product] = "not chosen"
        elif source.product in excluded:
            left_out[source.product] = f"excluded by {excluded[source.product]}"
        elif source.exposures < source_filter.min_exposures:
            left_out[source.product] = f"fewer than {source_filter.min_exposures} exposures"
    if known.all and len(left_out) == len(known.all):
        reasons = list(left_out.values())
        counts = ", ".join(f"{reasons.count(why)} {why}" for why in dict.fromkeys(reasons))
        raise InputError(
            f"none of the {len(known.all)} sources is left to be made: {counts}; correct the "
            "settings 'sources', 'catalog', 'exclude' or 'min_exposures'"
        )
    return left_out, remarks


def _found(known: Sources, key: str, items: Iterable[str]) -> dict[str, str]:
    """Names of the products that items match, with the first item that does."""
    try:
        matches = {item: known.find(item) for item in items}
    except InputError as error:
        raise InputError(f"{key}: {error}") from None
    if missing := [item for item, sources in matches.items() if not sources]:
        more = f" and {len(missing) - MAX_NEAR} more" if len(missing) > MAX_NEAR else ""
        raise InputError(
            f"{key}: no source matches {', '.join(map(repr, missing[:MAX_NEAR]))}{more}; "
            f"{_near(known, missing)}correct the setting {key!r}"
        )
    found: dict[str, str] = {}
    for item, sources in matches.items():
        for source in sources:
            found.setdefault(source.product, item)
    return found


def _near(known: Sources, items: Iterable[Any]) -> str:
    near = dict.fromkeys(name for item in items for name in known.near(str(item)))
    return f"near misses: {', '.join(list(near)[: 2 * MAX_NEAR])}; " if near else ""
