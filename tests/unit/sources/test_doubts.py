"""Nothing unlike is merged, and nothing alike is doubled, in silence."""

import math
from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits
from indexed import associate, exposure, group

from exp_to_source.errors import InputError
from exp_to_source.formats.cards import Value
from exp_to_source.index.indexing import index_exposure
from exp_to_source.index.records import sky_position
from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.sources.doubts import check_doubts, is_outside, separation
from exp_to_source.sources.families import DEFAULT_OPTIONS, IndexedExposure, read_exposures
from exp_to_source.sources.join_table import read_joins
from exp_to_source.sources.listing import list_sources

#: Position and footprint of a slit of an exposure from the archive.
POSITION = "214.8337227 52.8682822"
REGION = (
    "POLYGON ICRS  214.834129111 52.868296610 214.833202970 52.868288441 "
    "214.833203939 52.868234058 214.834130078 52.868242221"
)
OTHER = "60.0 1.0"

GRISM = {"exposure_type": "NRC_WFSS", "instrument": "NIRCAM", "filter": "F356W", "grating": "",
         "pupil": "GRISMR"}  # fmt: skip
FIXED = {"exposure_type": "NRS_FIXEDSLIT", "target": "FIELD", "target_position": "53.15 -27.8"}
TEMPLATE = "jw10006-{}_{{source_id}}_nirspec_f170lp-g235m"


def expose(number: int, *positions: str, name: str = "", **header: str) -> IndexedExposure:
    """Make an exposure with two sources, or one at each position."""
    own = f"jw10006010001_03101_{number:05}_nrs1_cal"
    numbers = {"visit": "1", "visit_group": "03", "sequence": "1", "activity": "01"}
    numbers |= {"exposure_number": str(number), "detector": "NRS1", "filename": f"{own}.fits"}
    positions = positions or ("53.1 1.0", "53.1 1.0")
    slits = [(59 + n, "", f"{n + 1}", {"position": p}) for n, p in enumerate(positions)]
    return exposure(name or own, *slits, **numbers | header)


def doubts_of(*exposures: IndexedExposure, on_doubt: str = "auto", **options: Any) -> list[str]:
    _, products, _ = group(exposures, **options)
    return [text for _, text in check_doubts(products, exposures, on_doubt)]


def test_one_exposure_under_several_names():
    first, second = expose(1), expose(2)
    copies = [expose(1, name=name) for name in (f"old_{first.name}", f"{first.name}_1")]
    with pytest.raises(InputError) as caught:
        doubts_of(first, *copies, second)
    message = str(caught.value)
    first_path, *paths = (item.header["path"] for item in (first, *copies))
    pairs = "; ".join(f"{first_path} and {path}" for path in paths)
    assert f"twice (4 slits): {pairs}; leave" in message
    assert second.name not in message
    warning, *others = doubts_of(first, *copies, second, on_doubt="warn")
    assert message == f"{warning}; or set 'on_doubt: warn' to go on nevertheless"
    assert not others


TWICE = "exposures that are given twice, under two names"
ALIKE = "exposures may be given twice: all but their FILENAME says that they are one"
TINY = {"name": "tiny", "filename": "tiny.fits", "exposure_number": ""}
WITHOUT_BACKGROUND = "jw10006010001_03101_00001_nrs1_bkgsub_cal"
OTHER_DETECTOR = "jw10006010001_03101_00001_nrs2_cal"


@pytest.mark.parametrize(
    ("one", "other", "doubt"),
    [
        ({}, {"name": WITHOUT_BACKGROUND, "filename": f"{WITHOUT_BACKGROUND}.fits"}, TWICE),
        ({}, {"name": "mine", "filename": "mine.fits"}, TWICE),
        # Without a name in the archive, FILENAME decides.
        (TINY, TINY | {"name": "copy"}, TWICE),
        (TINY, TINY | {"name": "copy", "filename": "copy.fits"}, ""),
        # Only FILENAME tells some apart: in simulations of 2019, and in copies that were saved.
        ({"name": "nod0", "filename": "0.fits"}, {"name": "nod1", "filename": "1.fits"}, ALIKE),
        ({}, {"name": OTHER_DETECTOR, "filename": f"{OTHER_DETECTOR}.fits"}, ""),
    ],
)
def test_exposures_that_may_be_one(one: dict[str, str], other: dict[str, str], doubt: str):
    exposures = expose(1, **one), expose(1, **other)
    doubts = doubts_of(*exposures, on_doubt="warn")
    assert [text.startswith(doubt) for text in doubts] == [True] * bool(doubt)
    assert all(f"{exposures[0].name}.fits and {exposures[1].name}.fits" in text for text in doubts)
    if doubt == TWICE:
        with pytest.raises(InputError, match=TWICE):
            doubts_of(*exposures)
    else:
        assert doubts_of(*exposures) == doubts
    assert not doubts_of(exposures[1], expose(2))


@pytest.mark.parametrize("header", [{}, GRISM])
def test_parts_of_an_exposure_are_not_given_twice(header: dict[str, str]):
    """Of a grism, orders of a source have one id and name."""
    whole = expose(1, **header)
    if header:
        slits = [slit._replace(source_id=59, slit_name="1") for slit in whole.slits]
        whole.slits[:] = [slit._replace(shape=(n, 9)) for n, slit in enumerate(slits)]
    parts = [expose(1, name=f"{whole.name}_{n}_bkgsub", **header) for n in range(2)]
    for part, slit in zip(parts, whole.slits, strict=True):
        part.slits[:] = [slit._replace(exposure=part.name)]
    assert not doubts_of(*parts)
    with pytest.raises(InputError, match=f"twice .2 slits.: {whole.name}.fits and {parts[0].name}"):
        doubts_of(whole, *parts)


def test_an_exposure_in_two_states_of_two_associations():
    path, copy = expose(1), expose(1, name="other")
    associations = [
        associate(name, TEMPLATE.format(name), item.name)
        for name, item in (("c1000", path), ("c1001", copy))
    ]
    assert not doubts_of(path, copy, associations=associations)


@pytest.mark.parametrize(
    ("other", "is_another"),
    [
        ({"target_position": "53.16 -27.8"}, True),
        ({"target_position": "53.15 -27.8004", "target": "STAR"}, True),
        ({"target_position": "", "target": "STAR"}, True),
        ({"target_position": "53.1502 -27.8", "target": "FIELD-2"}, False),
        ({"target_position": ""}, False),
        ({"target_position": "53.2 -27.8", "target_type": "MOVING"}, False),
    ],
)
def test_targets_of_fixed_slits(other: dict[str, str], is_another: bool):
    exposures = expose(1, **FIXED), expose(2, **FIXED | other), expose(3, **FIXED)
    if not is_another:
        assert not doubts_of(*exposures, on_doubt="stop")
        return
    with pytest.raises(InputError) as caught:
        doubts_of(*exposures)
    message = str(caught.value)
    assert message.count("2 targets") == 1
    assert f"'FIELD' at 53.15 -27.8 in {exposures[0].name}; '" in message
    assert f" in {exposures[1].name}; give an association for each" in message
    assert len(doubts_of(*exposures, on_doubt="warn")) == 1
    associations = [
        associate(f"{n}", f"{TEMPLATE.format('o010')}-{n}", *(item.name for item in own))
        for n, own in ((1, exposures[::2]), (2, exposures[1:2]))
    ]
    assert not doubts_of(*exposures, associations=associations)


@pytest.mark.parametrize(
    ("header", "key"), [({}, "msa_file"), (GRISM, "source_catalog"), (GRISM, "")]
)
def test_one_id_of_two_catalogues(header: dict[str, str], key: str):
    positions = ("53.1 60.0", "53.101 60.0")
    names = ("'0.fits' ", "'1.fits' ") if key else ("", "")
    exposures = [
        expose(n, position, position, **header | ({key: f"{n}.fits"} if key else {}))
        for n, position in enumerate(positions)
    ]
    (warning,) = doubts_of(*exposures)
    assert warning.startswith('2 products would combine sources more than 1" apart')
    for name, position, item in zip(names, positions, exposures, strict=True):
        assert f"{name}at {position} in {item.name}" in warning
    assert "give an association for the exposures of each" in warning
    with pytest.raises(InputError, match="apart"):
        doubts_of(*exposures, on_doubt="stop")
    moving = expose(1, positions[1], **header, target_type="Moving")
    assert not doubts_of(exposures[0], moving)


def test_positions_that_are_close_unknown_or_of_background_are_not_doubted():
    background = (62, "background_4", "4")
    exposures = []
    for n, positions in enumerate((("359.9999 60.0", "", "1 1"), ("0.0004 60.0", "3 1", "4 1"))):
        item = expose(n, *positions[:2], source_catalog=f"{n}.ecsv")
        others = exposure(item.name, (*background, {"position": positions[2]}))
        exposures.append(item._replace(slits=[*item.slits, *others.slits]))
    assert not doubts_of(*exposures, on_doubt="stop")


def test_what_the_user_joins_is_not_doubted(tmp_path: Path):
    table = tmp_path / "joins.csv"
    table.write_text("target,source_id\n59,59\n60,60\n")
    exposures = expose(1), expose(2, OTHER, OTHER)
    assert not doubts_of(*exposures, joins=read_joins(str(table)), on_doubt="stop")


def test_background_slitlet_with_the_id_of_a_source():
    """As pipelines before 1.15 numbered them."""

    def old(version: str) -> IndexedExposure:
        ra, dec = POSITION.split()
        item = expose(1, POSITION, POSITION, f"{float(ra) + 1} {dec}", version=version)
        regions = [REGION, REGION.replace("52.", "53."), REGION.replace("214.", "215.")]
        item.slits[:] = [s._replace(region=r) for s, r in zip(item.slits, regions, strict=True)]
        return item

    (warning,) = doubts_of(old("1.14.0"))
    assert "_nrs1_cal.fits: the footprint of 1 slit (2) does not cover the source" in warning
    with pytest.raises(InputError, match="footprint"):
        doubts_of(old("1.14.0"), on_doubt="stop")
    assert not doubts_of(old("1.15.0"))


def test_several_doubts_are_told_at_once():
    copy = expose(1, name="copy")
    with pytest.raises(InputError) as caught:
        doubts_of(expose(1), expose(2, OTHER, OTHER), copy, on_doubt="stop")
    head, *doubts = str(caught.value).split("\n- ")
    assert head == "nothing is written:"
    assert ["twice" in doubt for doubt in doubts] == [True, False]


def test_headers_of_an_exposure_are_in_its_index(tmp_path: Path):
    """Nothing is written if there is a doubt."""
    (path,) = simulate(Simulation(exposures=1, sources=1, virtual=0, shape=(4, 8)), tmp_path)
    cards = {
        "FILENAME": "a.fits", "DETECTOR": "NRS2", "VISIT": "007", "VISITGRP": "04", "SEQ_ID": "2",
        "ACT_ID": "05", "EXPOSURE": "8", "EXSEGNUM": 3, "EXPSTART": 56309.96, "TARGPROP": "STAR",
        "TARGTYPE": "MOVING", "SCATFILE": "x.ecsv", "MSAMETFL": "y.fits", "TARG_RA": 53.16,
        "TARG_DEC": -27.75,
    }  # fmt: skip
    with fits.open(path, mode="update") as hdus:
        hdus[0].header.update(cards)
        for hdu in hdus:
            if hdu.name == "SCI":
                hdu.header.update({"SRCRA": 53.25, "SRCDEC": -27.5, "S_REGION": REGION})
    indices = [str(tmp_path / f"{name}.txt") for name in (path.stem, "copy")]
    index_exposure(str(path), indices[0])
    (item,) = read_exposures(indices[:1], DEFAULT_OPTIONS)
    keys = ("filename", "detector", "visit", "visit_group", "sequence", "activity",
            "exposure_number", "segment", "start", "target", "target_type", "source_catalog",
            "msa_file")  # fmt: skip
    assert {key: item.header[key] for key in keys} == dict(
        zip(keys, map(str, cards.values()), strict=False)
    )
    assert item.header["target_position"] == "53.16 -27.75"
    assert {(slit.position, slit.region) for slit in item.slits} == {("53.25 -27.5", REGION)}
    index_exposure(str(path.rename(tmp_path / "copy.fits")), indices[1])
    with pytest.raises(InputError, match="given twice"):
        list_sources(indices, str(tmp_path / "sources.tsv"))
    assert not (tmp_path / "sources.tsv").exists()


@pytest.mark.parametrize(
    ("degrees", "text"),
    [((0.0, -1), "0.0 -1"), ((0.0, 0.0), ""), ((10**400, 1.0), ""), ((math.nan, 1.0), ""),
     (("1", None), "")],
)  # fmt: skip
def test_positions_in_an_index(degrees: tuple[Value, Value], text: str):
    assert sky_position(*degrees) == text


def test_separation_and_footprint():
    assert separation("10.0 60.0", "10.0 60.0") == 0
    assert separation("359.9999 60", "0.0001 60.0") == pytest.approx(0.36, rel=1e-6)
    assert separation("10.0 -89.99", "190.0 -89.99") == pytest.approx(72, rel=1e-6)
    field = "POLYGON ICRS 53.0 -27.8 53.1 -27.8 53.1 -27.7 53.0 -27.7"
    meridian = "POLYGON ICRS 359.999 0.001 0.001 0.0 0.001 0.001"
    for position, region, outside in (
        (POSITION, REGION, False), ("214.8347 52.8682", REGION, True),
        ("214.8337 52.8686", REGION, True), ("", REGION, False),
        ("359.9999 0.001", meridian, False), (POSITION, "", False),
        (POSITION, "POLYGON ICRS", False), (POSITION, "CIRCLE ICRS x", False),
        (POSITION, field, False),
    ):  # fmt: skip
        assert is_outside(position, region) == outside, (position, region)
