"""Joins by place: sources of several product groups that are at one place in the sky."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from ..diagnostics import Diagnostic
from ..errors import InputError, list_some, pluralize
from ..results import JOINS
from .doubts import MAX_NAMED, separation
from .families import Family, GroupingOptions, Slit
from .join_table import Joins
from .places import Place, find_near, find_nearest, format_distance
from .products import group_slits, name_product

#: Columns of the table of these joins: some of those of a table of joins, and what is for people.
COLUMNS = ("target", "product", "source_id", "exposure", "joined", "separation")

#: Distances that differ by less (arcsec) do not tell which source is nearer.
EQUAL = 0.01


class PlacedSource(NamedTuple):
    """A source of a product group."""

    family: Family
    #: Its product without joins.
    name: str
    slits: list[Slit]
    #: SRCRA and SRCDEC (deg) of the first slit that has them.
    position: str

    @property
    def place(self) -> Place:
        """Its place, without a radius."""
        ra, dec = map(float, self.position.split())
        return Place(self.name, ra, dec, 0)

    def distance(self, other: "PlacedSource") -> float:
        """Compute the distance from another source, in arcsec."""
        return separation(self.position, other.position)


def join_by_place(
    families: Sequence[Family], joins: Joins, options: GroupingOptions, moving: Container[str]
) -> tuple[list[dict[str, str]], list[Diagnostic]]:
    """Find sources of different product groups within `options.join_radius` of each other.

    The nearest are joined first, and with at most one source of each group, as in symmetric best
    matches of catalogues.

    Parameters
    ----------
    families : sequence of Family
        Product groups. Only sources with the same optical elements are joined.
    joins : Joins
        Slits that these match are left out.
    options : GroupingOptions
        How slits are grouped.
    moving : container of str
        Names of exposures of moving targets, which are left out.

    Returns
    -------
    list of dict
        Rows of a table of joins, by `COLUMNS`.
    list of Diagnostic
        Warnings of sources that are near another, but not joined with it.

    Raises
    ------
    InputError
        If there are none, or two sources of one group are at the same distance from one of another.
    """
    exposures = Counter(e for family in families for e in {slit.exposure for slit in family.slits})
    if shared := [name for name, count in exposures.items() if count > 1]:
        raise InputError(
            f"join_radius: {list_some(shared)}: in several associations, but a source can be in "
            "one joined product only; leave one of them out of 'associations'"
        )
    by_optics: dict[str, list[PlacedSource]] = {}
    for family in families:
        slits = (
            slit
            for slit in family.slits
            if slit.class_ == "s" and slit.exposure not in moving and not joins.find_row(slit.key)
        )
        for group in group_slits(slits, options).values():
            if position := next((slit.position for slit in group if slit.position), ""):
                name = name_product(family, group, "s", group[0].source_id)
                source = PlacedSource(family, name, group, position)
                by_optics.setdefault(group[0].optics, []).append(source)
    radius = options.join_radius or 0
    matches = [_match(sources, radius) for sources in by_optics.values()]
    clusters = [cluster for joined, _ in matches for cluster in joined]
    if not clusters:
        raise InputError(f"join_radius: {_nearest(by_optics.values(), radius)}")
    rows = [row for cluster in clusters for source in cluster for row in _rows(source, cluster[0])]
    warnings = []
    if apart := [pair for _, pairs in matches for pair in pairs]:
        text = f'{pluralize(len(apart), "pair")} within {radius:g}" not joined, as a nearer source'
        pairs = list_some(apart, "; ", MAX_NAMED)
        text = f"join_radius: {text} of the same product group is: {pairs}; check {JOINS}"
        warnings.append(Diagnostic("warning", text))
    return rows, warnings


def _match(
    sources: Sequence[PlacedSource], radius: float
) -> tuple[list[list[PlacedSource]], list[str]]:
    """Find sources of one place, one a group, the nearest first; list pairs that are left apart."""
    places = [source.place._replace(radius=radius) for source in sources]
    pairs = sorted(
        (distance, one, other)
        for one, near in enumerate(find_near(places, [place[1:3] for place in places]))
        for distance, other in near
        if one < other and sources[one].family is not sources[other].family
    )
    clusters = {number: {number} for number in range(len(sources))}
    #: Distance at which a source is joined.
    joined: dict[int, float] = {}
    apart = []
    for distance, one, other in pairs:
        merged = clusters[one] | clusters[other]
        pair = f'{sources[one].name} and {sources[other].name} at {distance:.2f}"'
        if len({id(sources[number].family) for number in merged}) == len(merged):
            clusters |= dict.fromkeys(merged, merged)
            joined.setdefault(one, distance)
            joined.setdefault(other, distance)
        elif distance - min(joined[n] for n in (one, other) if n in joined) < EQUAL:
            raise InputError(
                f"join_radius: {pair}: another source of the same product group is as near; name "
                "those that are one in the table 'joins'"
            )
        else:
            apart.append(pair)
    unique = dict.fromkeys(tuple(sorted(cluster)) for cluster in clusters.values())
    return [[sources[n] for n in cluster] for cluster in unique if len(cluster) > 1], apart


def _nearest(groups: Iterable[Sequence[PlacedSource]], radius: float) -> str:
    """Say that no sources of two groups match, and which are nearest to each other."""
    nearest = []
    for sources in groups:
        for family in {id(source.family): source.family for source in sources}.values():
            own = [source for source in sources if source.family is family]
            others = [source for source in sources if source.family is not family]
            pairs = find_nearest(
                [source.place for source in own], [source.place[1:3] for source in others]
            )
            nearest += [(d, own[n].name, others[other].name) for d, other, n in pairs[:1]]
    if not nearest:
        return "no two product groups with the same optical elements have places; leave it out"
    distance, *names = min(nearest)
    return (
        f'no sources of two product groups are within {radius:g}" of each other; the nearest are '
        f"{' and '.join(names)}, {format_distance(distance)} apart; choose a larger radius, or "
        "leave it out"
    )


def _rows(source: PlacedSource, first: PlacedSource) -> Iterator[dict[str, str]]:
    """Yield the rows that give a source the id and name of the first of those it is joined with.

    There are several if it is one by its name, with several ids.
    """
    exposures = ",".join(dict.fromkeys(slit.exposure for slit in source.slits))
    for source_id in dict.fromkeys(slit.source_id for slit in source.slits):
        values = (
            *(f"s{first.slits[0].source_id}", first.family.template, f"s{source_id}", exposures),
            *(source.name, f"{source.distance(first):.3f}"),
        )
        yield dict(zip(COLUMNS, values, strict=True))
