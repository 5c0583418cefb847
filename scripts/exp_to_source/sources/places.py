"""Places in the sky, and what is near them: angles are read and spheres searched by astropy.

It is imported only by runs that choose or join by place.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ..errors import InputError

#: Radius of places that have none of their own, in arcsec: the default of the setting.
RADIUS = 0.5

#: What begins as a right ascension and a declination with a blank between them, also with the
#: minus sign and the primes of publications.
_PLACE = re.compile(
    r"[+\u2212-]?[\d.][\d.:dhms°'\"\u2032\u2033\s]*(?:deg)?[\s,]+[+\u2212-]?[\d.].*",
    re.ASCII | re.DOTALL,
)

#: Numbers with blanks or colons between them.
_SEXAGESIMAL = re.compile(r"\d[:\s]+\d", re.ASCII)

#: Numbers of words of a right ascension and a declination; either has half of them.
_WORDS = (2, 4, 6)


class Place(NamedTuple):
    """A place in the sky (ICRS)."""

    #: As the user wrote it.
    text: str
    #: Right ascension and declination, in degrees.
    ra: float
    dec: float
    #: Greatest distance of a source there, in arcsec.
    radius: float
    #: Id of the source that a catalogue has there.
    source_id: int | None = None


def parse_place(item: str, radius: float) -> Place | None:
    """Parse an item of a choice; None if it does not look like a place.

    Parameters
    ----------
    item : str
        Right ascension (degrees, or sexagesimal hours), declination, and perhaps a radius with its
        unit, as `astropy.coordinates.Angle` reads them.
    radius : float
        In arcsec, unless the item has one.

    Raises
    ------
    InputError
        If it looks like a place, but cannot be one.
    """
    if not _PLACE.fullmatch(item):
        return None
    from astropy.coordinates import Angle

    words = item.replace(",", " ").split()
    # A radius has no word, one, or two: 2arcsec, 2 arcsec.
    for count in (len(words), len(words) - 1, len(words) - 2):
        if count in _WORDS:
            half = count // 2
            try:
                texts = " ".join(words[:half]), " ".join(words[half:count])
                (ra,), (dec,) = parse_degrees(*([text] for text in texts))
                limit = Angle(" ".join(words[count:])).arcsec if words[count:] else radius
            # Errors of units are none of values.
            except Exception:
                continue
            if 0 < limit < float("inf"):
                return Place(item, ra, dec, float(limit))
    raise InputError(
        f"{item!r} is not a place; write right ascension, declination and, if you like, a radius "
        "with its unit, such as '53.1632 -27.8021 2arcsec' or '03:32:39.17 -27:48:07.6'"
    )


def parse_degrees(ra: Any, dec: Any, units: Iterable[Any] = (None, None)) -> list[list[float]]:
    """Convert right ascensions and declinations to degrees.

    Parameters
    ----------
    ra, dec : sequence of str, or of float
        Texts have the units that they name; without, sexagesimal right ascensions are in hours, and
        others in degrees.
    units : iterable of astropy.units.Unit, optional
        Those of numbers, and of texts without their own; degrees if they are None, or astropy does
        not know them.

    Raises
    ------
    Exception
        That of astropy, of one of many types.
    """
    from astropy.coordinates import Angle, Latitude
    from astropy.units import deg, hourangle
    from numpy import array

    degrees = []
    for values, unit in zip((ra, dec), units, strict=True):
        if unit is None or unit.physical_type == "unknown":
            unit = deg
        if isinstance(values[0], str):
            # Each by itself: some may be sexagesimal, others not.
            hours = hourangle if values is ra else deg
            angles = (Angle(v, hours if _SEXAGESIMAL.search(v) else unit).deg for v in values)
            degrees.append(array([*angles]))
        else:
            degrees.append(Angle([*values], unit).deg)
    if not ((degrees[0] >= -180) & (degrees[0] <= 360)).all():
        raise ValueError("right ascensions are from 0 to 360 degrees")
    return [(degrees[0] % 360).tolist(), Latitude(degrees[1], deg).deg.tolist()]


def find_near(
    places: Sequence[Place], positions: Sequence[tuple[float, float]]
) -> list[list[tuple[float, int]]]:
    """Find the positions within the radius of each place.

    Parameters
    ----------
    places : sequence of Place
        The places.
    positions : sequence of (float, float)
        Right ascensions and declinations, in degrees.

    Returns
    -------
    list of list of (float, int)
        For each place, distances (arcsec) and numbers of positions, the nearest first.
    """
    from astropy import units
    from astropy.coordinates import search_around_sky

    near: list[list[tuple[float, int]]] = [[] for _ in places]
    if not (places and positions):
        return near
    limit = min(max(place.radius for place in places), 180 * 3600)
    one, other = (_sky([place[1:3] for place in places]), _sky(positions))
    found = search_around_sky(one, other, limit * units.arcsec)
    for place, position, distance in zip(*found[:2], found[2].arcsec, strict=True):
        if distance <= places[place].radius:
            near[place].append((float(distance), int(position)))
    return [sorted(pairs) for pairs in near]


def find_nearest(
    places: Sequence[Place], positions: Sequence[tuple[float, float]]
) -> list[tuple[float, int, int]]:
    """Find the place that is nearest to each position.

    The result has distances (arcsec), and numbers of positions and places, the nearest first.
    """
    if not (places and positions):
        return []
    numbers, distances, _ = _sky(positions).match_to_catalog_sky(
        _sky([place[1:3] for place in places])
    )
    return sorted(
        zip(distances.arcsec.tolist(), range(len(positions)), numbers.tolist(), strict=True)
    )


def _sky(positions: Sequence[tuple[float, float]]) -> Any:
    from astropy.coordinates import SkyCoord

    return SkyCoord([*positions], unit="deg")


def format_distance(arcsec: float) -> str:
    """Format a distance for people: arcsec, or degrees if it is far."""
    return f'{arcsec:.2f}"' if arcsec < 3600 else f"{arcsec / 3600:.1f} deg"
