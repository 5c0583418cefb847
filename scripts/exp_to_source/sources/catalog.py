"""Sources of a catalogue, for example made from an image: their ids, or their places."""

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..errors import InputError
from ..modes import is_grism
from .families import IndexedExposure
from .places import RADIUS, Place, parse_degrees

#: Columns of the source list, the catalogue and other tables of a run, which name its products.
RUN_COLUMNS = frozenset(("product", "source_id", "class"))

#: Names of the column of ids, the most specific first; case is ignored.
ID_COLUMNS = ("source_id", "sourceid", "src_id", "srcid", "number", "label", "id")

#: Names of columns of right ascension and declination, in one order: those of most catalogues, of
#: astropy, TOPCAT, VizieR, SExtractor, ObsCore and the pipeline. The first pair is taken; case is
#: ignored.
PLACE_COLUMNS = (
    *(("ra", "dec"), ("ra", "de"), ("raj2000", "dej2000"), ("raj2000", "decj2000")),
    *(("_raj2000", "_dej2000"), ("ra_icrs", "de_icrs"), ("ra_icrs", "dec_icrs")),
    *(("alpha_j2000", "delta_j2000"), ("alphawin_j2000", "deltawin_j2000"), ("s_ra", "s_dec")),
    *(("ra_deg", "dec_deg"), ("radeg", "decdeg"), ("radeg", "dedeg"), ("ra_j2000", "dec_j2000")),
    *(("srcra", "srcdec"), ("source_ra", "source_dec"), ("sky_centroid.ra", "sky_centroid.dec")),
    *(("right_ascension", "declination"), ("skycoord.ra", "skycoord.dec"), ("sky.ra", "sky.dec")),
)

#: Formats by extension; others are guessed.
FORMATS = {"csv": "ascii.csv", "ecsv": "ascii.ecsv", "tsv": "ascii.tab"}
FORMATS |= {"fit": "fits", "fits": "fits", "vot": "votable", "xml": "votable"}

_WHOLE = re.compile(r"\s*([+-]?[0-9]+)(?:\.0*)?\s*", re.ASCII)


def read_catalog(path: str, radius: float = RADIUS) -> Sequence[int | str | Place]:
    """Read the sources of a catalogue, each once, in its order.

    It is any table that astropy can read: one of a run has the names of products, as several may
    have one id; with a column of `ID_COLUMNS`, these are ids; otherwise, with two of
    `PLACE_COLUMNS`, places, with a radius in arcsec. Rows without are ignored. Where there are
    both, places have an id.
    """
    table = _read_table(path)
    columns = {name.lower(): name for name in reversed(table.colnames)}
    pair = next((pair for pair in PLACE_COLUMNS if columns.keys() >= {*pair}), ())
    names = [columns[name] for name in pair]
    if columns.keys() >= RUN_COLUMNS and len(table):
        return list(dict.fromkeys(map(str, table[columns["product"]])))
    if name := next((columns[name] for name in ID_COLUMNS if name in columns), None):
        ids = _read_ids(path, name, table[name])
        try:
            places = _read_places(path, table, names, radius) if names else {}
        except InputError:
            # Ids decide, whatever these columns are.
            places = {}
        items: dict[int, int | Place] = {}
        for row, id_ in ids.items():
            items.setdefault(id_, places[row]._replace(source_id=id_) if row in places else id_)
        return list(items.values())
    if names:
        unique: dict[tuple[Any, ...], Place] = {}
        for place in _read_places(path, table, names, radius).values():
            unique.setdefault(place[1:3], place)
        return list(unique.values())
    raise InputError(
        f"{path}: none of its columns ({', '.join(table.colnames)}) is called "
        f"{', '.join(ID_COLUMNS[:-1])} or {ID_COLUMNS[-1]}, and none ra and dec; rename those that "
        "have the ids, or the places"
    )


def add_places(
    exposures: Iterable[IndexedExposure], catalog: Sequence[int | str | Place]
) -> Iterator[IndexedExposure]:
    """Add the places that a catalogue has for their ids to slits of grisms without SRCRA, SRCDEC.

    Ids of grisms are those of a catalogue of the field; other modes have other ids.
    """
    places = {p.source_id: f"{p.ra} {p.dec}" for p in catalog if isinstance(p, Place)}
    for exposure in exposures:
        slits = [
            slit._replace(position=places.get(slit.source_id, ""))
            if not slit.position and is_grism(slit.exposure_type)
            else slit
            for slit in exposure.slits
        ]
        yield exposure._replace(slits=slits)


def _read_table(path: str) -> Any:
    from astropy.table import Table
    from astropy.table.serialize import represent_mixins_as_columns

    kind = FORMATS.get(path.lower().removesuffix(".gz").rpartition(".")[2], "ascii")
    # Spreadsheets write a byte order mark at the start.
    options = {"encoding": "utf-8-sig"} if kind.startswith("ascii") else {}
    try:
        with warnings.catch_warnings(action="ignore"):
            table = Table.read(path, format=kind, **options)
        if table.colnames:
            # A column of SkyCoord, as catalogues of the pipeline have, becomes two.
            return represent_mixins_as_columns(table)
        raise ValueError("no columns")
    except UnicodeDecodeError:
        raise InputError(
            f"{path}: not a text in UTF-8; save it again, or as .fits where it is a FITS table"
        ) from None
    except Exception as error:
        # Each reader raises different errors.
        if isinstance(error, OSError) and error.errno:
            raise
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{path}: cannot be read as a table ({kind}: {why:.120}); tab-separated (.tsv), .csv, "
            ".ecsv, .fits and .vot tables can be"
        ) from None


def _read_ids(path: str, name: str, column: Any) -> dict[int, int]:
    """Read ids by the numbers of their rows."""
    ids = {}
    # The first whole number that has the same value as the next, in the column's type.
    limit = 2 ** {2: 11, 4: 24}.get(column.dtype.itemsize, 53)
    for row, value in enumerate(column.tolist(), 1):
        # Columns of floating-point numbers have NaN where they have no value.
        if value in (None, "") or str(value) == "nan":
            continue
        match = _WHOLE.fullmatch(str(value))
        if not match:
            raise InputError(
                f"{path}: its column {name!r} has {value!r:.40}, which is not a whole number; "
                "source ids are needed, correct it or rename the column that has them"
            )
        if isinstance(value, float) and abs(value) >= limit:
            raise InputError(
                f"{path}: its column {name!r} has {value:.0f} as {column.dtype.name}, which is not "
                "exact; save the ids as integers"
            )
        ids[row] = int(match[1])
    if not ids:
        raise InputError(
            f"{path}: has no ids in its column {name!r}; correct the setting 'catalog'"
        )
    return ids


def _read_places(path: str, table: Any, names: list[str], radius: float) -> dict[int, Place]:
    """Read places by the numbers of their rows."""
    columns = [table[name] for name in names]
    # Number of each row with both; columns of floating-point numbers have NaN without a value.
    rows = {
        number: pair
        for number, pair in enumerate(zip(*(c.tolist() for c in columns), strict=True), 1)
        if all(value not in (None, "") and str(value) != "nan" for value in pair)
    }
    if not rows:
        raise InputError(
            f"{path}: has no places in its columns {' and '.join(names)}; correct the setting "
            "'catalog'"
        )
    try:
        if any(column.ndim > 1 for column in columns):
            raise ValueError("several values a row")
        ra, dec = zip(*rows.values(), strict=True)
        degrees = parse_degrees(ra, dec, [column.unit for column in columns])
    except Exception as error:
        # Errors of angles, units and arrays are of many types.
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{path}: its columns {' and '.join(names)} are not right ascensions and declinations "
            f"({why:.120}); degrees and sexagesimal texts are, correct or rename them"
        ) from None
    return {
        number: Place(f"row {number} ({' '.join(map(str, pair))})", ra, dec, radius)
        for (number, pair), ra, dec in zip(rows.items(), *degrees, strict=True)
    }
