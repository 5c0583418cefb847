"""Sources are chosen and joined by place, or the run says what is near, and how far."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Column, Table
from indexed import associate, exposure, group

from exp_to_source.errors import InputError
from exp_to_source.sources.catalog import PLACE_COLUMNS, add_places, read_catalog
from exp_to_source.sources.choosing import SourceFilter, choose
from exp_to_source.sources.families import GroupingOptions, IndexedExposure
from exp_to_source.sources.join_table import Joins, parse_row, read_joins
from exp_to_source.sources.place_joins import COLUMNS, join_by_place
from exp_to_source.sources.places import parse_place
from exp_to_source.sources.source_list import Source
from exp_to_source.tables import write_table

RA, DEC = 53.1632, -27.8021
SECOND = 1 / 3600
#: Degrees of right ascension of an arcsec on the sky there.
ACROSS = SECOND / np.cos(np.radians(DEC))


def source(number: int, east: float, north: float, kind: str = "s", family: str = "a") -> Source:
    """Make a source at a distance from a place, in arcsec."""
    name = f"{family}_{kind}{number}"
    place = {"ra": RA + east * ACROSS, "dec": DEC + north * SECOND}
    return Source(name, number, kind, family=family, exposures=1, **place)


SOURCES = [
    source(61, 0.3, 0),
    source(62, 0, 1.2),
    source(63, 10, 0),
    source(9, 0, 0, "b"),
    source(7, 0, 0.4, family="b"),
    Source("a_s5", 5, "s", family="a", exposures=1),
]


def chosen(known: list[Source] = SOURCES, **source_filter: Any) -> list[int]:
    left_out, _ = choose(known, SourceFilter(**source_filter))
    return [s.source_id for s in known if s.product not in left_out]


@pytest.mark.parametrize(
    "item",
    [
        "53.1632 -27.8021",
        "53.1632, -27.8021 0.5arcsec",
        '53.1632d -27.8021d 0.5"',
        "53.1632 deg -27.8021 deg 500 mas",
        "03:32:39.168 -27:48:07.56",
        "03 32 39.168 -27 48 07.56 0.5 arcsec",
        "3h32m39.168s -27d48m07.56s",
        "53d09m47.52s -27d48m07.56s",
        "03h32m39.168s \u221227°48\u203207.56\u2033",
    ],
)
def test_places_as_astropy_reads_them(item: str):
    place = parse_place(item, 0.5)
    assert place[:4] == (item, pytest.approx(RA), pytest.approx(DEC), pytest.approx(0.5))
    # The nearest of each product group; background is of no source.
    assert chosen(sources=[item]) == [61, 7]
    assert chosen(exclude=[item]) == [62, 63, 9, 5]


@pytest.mark.parametrize("name", ["BD+60 1753", "1345_61", "NGC 253", "target [1]", "61-62"])
def test_names_are_no_places(name: str):
    assert parse_place(name, 0.5) is None
    # Also one that looks like a place, if a source has it.
    assert chosen([Source("a", 1, "s", "53 27", exposures=1)], sources=["53 27"]) == [1]


@pytest.mark.parametrize(
    "item",
    ["53.1 -97", "400 3", "53.1 -27 2", "53.1 -27 0arcsec", "53.1 2kg", "1 2 nanarcsec", "3:4 5 6"],
)
def test_what_is_no_place(item: str):
    with pytest.raises(InputError, match=r"is not a place; write .* '53.1632 -27.8021 2arcsec'"):
        parse_place(item, 0.5)


def test_radius():
    assert chosen(sources=[f"{RA} {DEC}"], radius=0.35) == [61]
    assert chosen(sources=[f"{RA} {DEC} 0.35arcsec"]) == [61]
    # Across the meridian.
    known = [Source("a", 1, "s", ra=359.99999, dec=0.0, exposures=1)]
    assert chosen(known, sources=["0.00001 0 0.1arcsec"]) == [1]


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        (
            f"{RA} {DEC} 2arcsec",
            f'near a place: {RA} {DEC} 2arcsec has 61 at 0.30", 7 at 0.40", 62 at 1.20"; choose',
        ),
        (
            f"{RA} {DEC + SECOND * 5} 2arcsec",
            '2arcsec\'; near misses: 62 at 3.80", 7 at 4.60", 61 at 5.01", 63 at 11.18"; correct',
        ),
        (f"{RA} 60", "near misses: 62 at 87.8 deg, 7 at 87.8 deg"),
        # The blank is missing.
        (["53.16", "53.18"], "write a place with a blank between its numbers"),
    ],
)
def test_what_is_ambiguous_or_has_no_source_is_told(items: str | list[str], sentence: str):
    with pytest.raises(InputError) as caught:
        chosen(sources=[items] if isinstance(items, str) else items)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("sources: ")


def test_moving_targets_are_not_chosen_by_place():
    place = SourceFilter([f"{RA} {DEC}"])
    left_out, notes = choose(SOURCES, place, ["b_s7"])
    assert [s.product for s in SOURCES if s.product not in left_out] == ["a_s61"]
    assert notes == ["1 product of moving targets cannot be chosen by place"]
    moving = {s.product for s in SOURCES}
    with pytest.raises(InputError, match=r"no source has a place .* that does not move; choose by"):
        choose(SOURCES, place, moving)
    # Other items do not care.
    assert choose(SOURCES, SourceFilter(["61"]), moving)[1] == []


def write_catalog(path: Path, **columns: Any) -> str:
    Table(columns).write(path)
    return str(path)


@pytest.mark.parametrize("names", PLACE_COLUMNS)
def test_columns_of_places(names: tuple[str, str], tmp_path: Path):
    ra, dec = names
    columns = {"flux": [1.0, 2.0], ra.upper(): [RA, 1.0], dec.title(): [DEC, 2.0]}
    (first, last) = read_catalog(write_catalog(tmp_path / "catalog.fits", **columns), 0.4)
    assert first[:4] == (f"row 1 ({RA} {DEC})", RA, DEC, 0.4)
    assert last[1:4] == (1, 2, 0.4)


@pytest.mark.parametrize("suffix", ["fits", "csv", "ecsv"])
@pytest.mark.parametrize(
    ("ra", "dec"),
    [
        (["53.1632d", "10:11:12", ""], ["-27.8021", "-1:02:03", "1"]),
        (["03:32:39.168", "10 11 12.0", ""], ["-27:48:07.56", "-01 02 03.0", ""]),
        ([RA, 152.8, np.nan], [DEC, -1.034166667, 2]),
    ],
)
def test_values_of_places(ra: list[Any], dec: list[Any], suffix: str, tmp_path: Path):
    path = write_catalog(tmp_path / f"catalog.{suffix}", RAJ2000=ra, DEJ2000=dec)
    first, second = read_catalog(path, 1)
    assert first[1:3] == pytest.approx((RA, DEC))
    assert second[1:3] == pytest.approx((152.8, -1.0341667))


def test_units_of_places(tmp_path: Path):
    places = {"skycoord": SkyCoord([RA], [DEC], unit="deg")}
    hours = {"ra": Column([f"{RA / 15:.9f}"], unit="hourangle"), "dec": [str(DEC)]}
    for columns in (places, hours):
        Table(columns).write(tmp_path / "catalog.ecsv", overwrite=True)
        (place,) = read_catalog(str(tmp_path / "catalog.ecsv"), 1)
        assert place[1:3] == pytest.approx((RA, DEC))
    ra, dec = Column([np.radians(RA)], unit="rad"), Column([DEC * 60], unit="arcmin")
    (place,) = read_catalog(write_catalog(tmp_path / "catalog.fits", ra=ra, dec=dec), 1)
    assert place[1:3] == pytest.approx((RA, DEC))


@pytest.mark.parametrize(
    ("ra", "dec", "sentence"),
    [
        ([1.0], [91.0], "are not right ascensions and declinations .Latitude angle"),
        ([400.0], [1.0], "right ascensions are from 0 to 360 degrees"),
        (["x"], ["1"], "Invalid character at col 0 parsing angle 'x'"),
        ([[1.0, 2.0]], [3.0], "several values a row"),
        ([np.nan], [1.0], "has no places in its columns ra and dec"),
        (Column([1.0], unit="Jy"), [1.0], "are not right ascensions and declinations"),
    ],
)
def test_columns_that_are_no_places(ra: Any, dec: Any, sentence: str, tmp_path: Path):
    with pytest.raises(InputError, match=sentence):
        read_catalog(write_catalog(tmp_path / "catalog.fits", ra=ra, dec=dec), 1)


def test_catalog_of_places(tmp_path: Path):
    def choose_by(*offsets: float, radius: float = 0.5, **columns: Any) -> tuple[list[int], Any]:
        path = tmp_path / "catalog.fits"
        path.unlink(missing_ok=True)
        places = {"ra": [RA + east * ACROSS for east in offsets], "dec": [DEC] * len(offsets)}
        catalog = read_catalog(write_catalog(path, **columns, **places), radius)
        left_out, notes = choose(SOURCES, SourceFilter(catalog=catalog, radius=radius))
        return [s.source_id for s in SOURCES if s.product not in left_out], notes

    assert choose_by(0.2, 10.1) == ([61, 63, 7], [])
    # The same row twice.
    assert choose_by(10, 10) == ([63], [])
    ids, (note,) = choose_by(10, 20, 30)
    assert ids == [63]
    assert note.startswith("catalog: 2 of its 3 places have no source of these exposures within 0.")
    assert ": row 2 (53.16" in note
    for offsets, radius, sentence in (
        (
            (5, 20),
            0.5,
            r'none of its 2 places has .* within 0.5"; near misses: 61 at 4.70", 63 at ',
        ),
        ((9.8, 10.1), 0.5, r'a source: a_s63 has row 1 .* at 0.20", row 2 .* at 0.10"; leave one'),
        ((0,), 2, r'a place: row 1 .* has 61 at 0.30", 7 at 0.40", 62 at 1.20"; choose one'),
    ):
        with pytest.raises(InputError, match=f"^catalog: .*{sentence}"):
            choose_by(*offsets, radius=radius)
    # Ids decide, and those that are elsewhere are noted.
    assert choose_by(10, 0.1, id=[63, 99]) == (
        [63],
        ["catalog: 1 of its 2 ids are no sources of these exposures: 99"],
    )
    ids, (note,) = choose_by(10, 0, 0.4, source_id=[62, 5, 61])
    assert ids == [61, 62, 5]
    assert note.startswith("catalog: 1 of its ids are of sources that are not within 0.5")
    assert "places in it (62); if it has other numbers" in note


def test_places_of_grisms_that_headers_do_not_have(tmp_path: Path):
    places = {"label": [61, 62], "sky_centroid.ra": [RA, RA], "sky_centroid.dec": [DEC, DEC]}
    catalog = read_catalog(write_catalog(tmp_path / "jw1_cat.ecsv", **places))
    slits = (61, "", "61"), (62, "", "62", {"position": "1.0 2.0"}), (63, "", "63")
    grism = exposure("jw1_cal", *slits, exposure_type="NIS_WFSS")
    (placed,) = add_places([grism], catalog)
    assert [slit.position for slit in placed.slits] == [f"{RA} {DEC}", "1.0 2.0", ""]
    # Ids of slits are not those of the field.
    slit = exposure("jw2_cal", (61, "", "S200A1"), exposure_type="NRS_FIXEDSLIT")
    assert list(add_places([slit], catalog)) == [slit]


def program(number: int, *sources: tuple[int, float], **header: str) -> list[IndexedExposure]:
    """Make two exposures of a program: ids with distances to the east, in arcsec."""
    slits = [
        (id_, "", str(n), {"position": f"{RA + east * ACROSS} {DEC}"})
        for n, (id_, east) in enumerate(sources)
    ]
    about = {"program": str(number)} | header
    return [exposure(f"jw{number}_{n}_cal", *slits, **about) for n in range(2)]


def by_place(
    *exposures: IndexedExposure, radius: float = 0.3, joins: Joins | None = None, **others: Any
) -> list[dict[str, str]]:
    options = GroupingOptions(join_radius=radius)
    families, _, _ = group(exposures, others.get("associations", ()))
    rows, warnings = join_by_place(families, joins or Joins(), options, others.get("moving", ()))
    assert re.match(others.get("warning", "$"), "".join(text for _, text in warnings))
    return rows


def test_sources_of_two_programs_are_joined(tmp_path: Path):
    exposures = [
        *program(10006, (61, 0), (62, 5), (63, 9)),
        *program(10007, (61, 5.1), (75, 0.2), (76, 20)),
        *program(10008, (3, 0.3), filter="F290LP"),
        *program(10009, (4, 0.1)),
    ]
    rows = by_place(*exposures)
    product = "jw{}-o010_s{:05}_nirspec_f170lp-g235m"
    assert [(row["joined"], row["separation"]) for row in rows] == [
        (product.format(10006, 61), "0.000"),
        (product.format(10007, 75), "0.200"),
        (product.format(10009, 4), "0.100"),
        (product.format(10006, 62), "0.000"),
        (product.format(10007, 61), "0.100"),
    ]
    # The rows are a table of joins, which says the same when it is read.
    path = str(tmp_path / "joins.tsv")
    write_table(path, COLUMNS, rows)
    for joins in (Joins(parse_row(str(n), row) for n, row in enumerate(rows)), read_joins(path)):
        _, products, _ = group(exposures, joins=joins, group_by="source_id")
        joined = {p.name: [(s.exposure[2:7], s.source_id) for s in p.slits] for p in products}
        assert joined[product.format(10006, 61)] == [
            *[("10006", 61)] * 2,
            *[("10007", 75)] * 2,
            *[("10009", 4)] * 2,
        ]
        assert joined[product.format(10006, 62)] == [*[("10006", 62)] * 2, *[("10007", 61)] * 2]
        assert len(joined) == 5
    # What a table names is left to it.
    own = Joins([parse_row("1", {"exposure": "jw10007*", "source_id": "75", "target": "9"})])
    assert len(by_place(*exposures, joins=own)) == 4


@pytest.mark.parametrize(
    ("radius", "sentence"),
    [
        (
            0.3,
            r'nearest are .*_s00061_.* and .*_s00075_.*, 0.40" apart; choose a larger',
        ),
        (
            0.6,
            r'_s00061_.* and .*_s00076_.* at 0.40": another source of the same product group is as',
        ),
    ],
)
def test_joins_that_are_ambiguous_or_none(radius: float, sentence: str):
    exposures = [*program(10006, (61, 0)), *program(10007, (75, 0.4), (76, -0.4))]
    with pytest.raises(InputError, match=f"^join_radius: .*{sentence}"):
        by_place(*exposures, radius=radius)


def test_the_nearest_of_close_pairs_are_joined():
    exposures = [
        *program(10006, (61, 0), (62, 0.2), (64, 0.9)),
        *program(10007, (71, 0.19), (72, 0.01), (73, 0.4)),
        *program(10008, (82, 0.21), (81, -0.02)),
    ]
    # Some slits have no position: they are of the source whose other slits have one.
    exposures[2].slits[0] = exposures[2].slits[0]._replace(position="")
    name = "jw{}-o010_s000{}_nirspec_f170lp-g235m"
    apart = f'{name.format(10006, 61)} and {name.format(10007, 71)} at 0.19"'
    text = f'join_radius: 3 pairs within 0.195" not joined, as a nearer source .* is: {apart}; '
    rows = by_place(*exposures, radius=0.195, warning=text)
    joined = [name.format(*s) for s in ((10006, 61), (10007, 72), (10008, 81))]
    joined += [name.format(*s) for s in ((10006, 62), (10007, 71), (10008, 82))]
    assert [row["joined"] for row in rows] == joined
    assert rows[4]["exposure"] == "jw10007_0_cal,jw10007_1_cal"


def test_moving_targets_and_shared_exposures_are_not_joined():
    exposures = [*program(10006, (61, 0)), *program(10007, (75, 0))]
    with pytest.raises(InputError, match="no two product groups with the same optical elements"):
        by_place(*exposures, moving=["jw10006_0_cal", "jw10006_1_cal"])
    template = "jw10006-{}_{{source_id}}_nirspec_f170lp-g235m"
    both = [associate(n, template.format(n), "jw10006_0_cal") for n in ("c1000", "c1001")]
    with pytest.raises(InputError, match="jw10006_0_cal: in several associations"):
        by_place(*exposures, associations=both)
