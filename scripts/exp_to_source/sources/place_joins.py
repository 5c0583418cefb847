"""Joins by place: sources of several product groups that are at one place in the sky."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from ..errors import InputError, list_some
from .doubts import MAX_NAMED, separation
from .families import Family, GroupingOptions, Slit
from .join_table import Joins
from .places import Place, find_near, find_nearest, format_distance
from .products import group_slits, name_product

#: Columns of the table of these joins: some of those of a table of joins, and what is for people.
COLUMNS = ("target", "product", "source_id", "exposure", "joined", "separation")


class PlacedSource(NamedTuple):
    """A source of a product group."""

    family: Family
    #: Its product without joins.
    name: str
    slits: list[Slit]

    @property
    def place(self) -> Place:
        """Its place, without a radius."""
        ra, dec = map(float, self.slits[0].position.split())
        return Place(self.name, ra, dec, 0)

    def distance(self, other: "PlacedSource") -> float:
        """Compute the distance from another source, in arcsec."""
        return separation(self.slits[0].position, other.slits[0].position)


def join_by_place(
    families: Sequence[Family], joins: Joins, options: GroupingOptions, moving: Container[str]
) -> list[dict[str, str]]:
    """Find sources of different product groups within `options.join_radius` of each other.

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

    Raises
    ------
    InputError
        If there are none, or several sources of one group are near one of another.
    """
    exposures = Counter(e for family in families for e in {slit.exposure for slit in family.slits})
    if shared := [name for name, count in exposures.items() if count > 1]:
        raise InputError(
            f"join_radius: {list_some(shared)}: in several associations, but a source can be in "
            "one joined product only; leave one of them out of 'associations'"
        )
    by_optics: dict[str, list[PlacedSource]] = {}
    for family in families:
        slits = [
            slit
            for slit in family.slits
            if slit.class_ == "s"
            and slit.position
            and slit.exposure not in moving
            and not joins.find_row(slit.key)
        ]
        for group in group_slits(slits, options).values():
            name = name_product(family, group, "s", group[0].source_id)
            source = PlacedSource(family, name, group)
            by_optics.setdefault(group[0].optics, []).append(source)
    radius = options.join_radius or 0
    clusters = [cluster for sources in by_optics.values() for cluster in _match(sources, radius)]
    if not clusters:
        raise InputError(f"join_radius: {_nearest(by_optics.values(), radius)}")
    ambiguous = [
        list_some(f'{source.name} ({source.distance(cluster[0]):.2f}")' for source in cluster)
        for cluster in clusters
        if len({id(source.family) for source in cluster}) < len(cluster)
    ]
    if ambiguous:
        raise InputError(
            "join_radius: several sources of one product group would be one: "
            f"{list_some(ambiguous, '; ', MAX_NAMED)}; choose a smaller radius, or name "
            "those that are one in the table 'joins'"
        )
    return [row for cluster in clusters for source in cluster for row in _rows(source, cluster[0])]


def _match(sources: Sequence[PlacedSource], radius: float) -> list[list[PlacedSource]]:
    """Find sources that are near one of another group, those of one place together."""
    places = [source.place._replace(radius=radius) for source in sources]
    clusters = {number: {number} for number in range(len(sources))}
    for number, near in enumerate(find_near(places, [place[1:3] for place in places])):
        for _, other in near:
            if sources[number].family is not sources[other].family:
                merged = clusters[number] | clusters[other]
                clusters |= dict.fromkeys(merged, merged)
    joined = dict.fromkeys(tuple(sorted(cluster)) for cluster in clusters.values())
    return [[sources[number] for number in cluster] for cluster in joined if len(cluster) > 1]


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
