"""Nothing unlike is merged, and nothing alike is doubled, in silence."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits
from stdatamodels.jwst.datamodels import MultiSlitModel
from tiny import write_tiny

from exp_to_source.errors import InputError
from exp_to_source.formats.cards import Value
from exp_to_source.index.indexing import index_exposure
from exp_to_source.index.records import sky_position
from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.sources.associations import Association
from exp_to_source.sources.doubts import is_outside, separation
from exp_to_source.sources.families import GroupingOptions
from exp_to_source.sources.join_table import read_joins
from exp_to_source.sources.joining import NO_JOINS
from exp_to_source.sources.listing import list_sources

#: Position and footprint of a slit of an exposure from the archive.
POSITION = "214.8337227 52.8682822"
REGION = (
    "POLYGON ICRS  214.834129111 52.868296610 214.833202970 52.868288441 "
    "214.833203939 52.868234058 214.834130078 52.868242221"
)


def list_them(
    paths: Iterable[Path],
    folder: Path,
    associations: Iterable[Association] = (),
    joins: str = "",
    **options: str,
) -> list[str]:
    """Index and list exposures; return the warnings."""
    indices = [str(folder / "index" / f"{path.stem}.txt") for path in paths]
    for path, index in zip(paths, indices, strict=True):
        index_exposure(str(path), index)
    _, *remarks = list_sources(
        indices,
        str(folder / "sources.tsv"),
        list(associations),
        GroupingOptions(**options),
        joins=read_joins(joins) if joins else NO_JOINS,
    )
    return remarks


def simulated(folder: Path, mode: str = "mos", **what: Any) -> list[Path]:
    slits = {"fixed_slits": ("S200A1", "S200A2")} if mode == "fixed-slit" else {}
    given = {"exposures": 2, "sources": 2, "background": 0, "virtual": 0, "shape": (4, 8), **slits}
    given |= what
    return simulate(Simulation(mode=mode, **given), folder)


def edit(path: Path, primary: dict[str, Any] | None = None, **slits: Any) -> None:
    """Edit PRIMARY, and the headers of slits: a value for each, in order, or one for all."""
    with fits.open(path, mode="update") as hdus:
        hdus[0].header.update(primary or {})
        planes = [hdu for hdu in hdus if hdu.name == "SCI"]
        for keyword, values in slits.items():
            if not isinstance(values, list):
                values = [values] * len(planes)
            for hdu, value in zip(planes, values, strict=True):
                hdu.header[keyword] = value


def test_one_exposure_under_several_names(tmp_path: Path):
    first, second = simulated(tmp_path)
    copies = [
        Path(shutil.copy(first, tmp_path / f"{name}.fits"))
        for name in (f"old_{first.stem}", f"{first.stem}_1")
    ]
    with pytest.raises(InputError) as caught:
        list_them([first, *copies, second], tmp_path)
    message = str(caught.value)
    assert f"twice (4 slits): {first} and {copies[0]}; {first} and {copies[1]}; leave" in message
    assert str(second) not in message
    assert not (tmp_path / "sources.tsv").exists()
    warning, *others = list_them([first, *copies, second], tmp_path, on_doubt="warn")
    assert message == f"{warning}; or set 'on_doubt: warn' to go on nevertheless"
    assert not others


@pytest.mark.parametrize("name", ["{}_bkgsub_cal.fits", "mine.fits"])
def test_an_exposure_beside_itself_without_its_background(tmp_path: Path, name: str):
    first, second = simulated(tmp_path)
    path = tmp_path / name.format(first.stem.removesuffix("_cal"))
    with MultiSlitModel(str(first)) as model:
        for slit in model.slits:
            slit.data = slit.data - 1
        model.save(str(path))
    with pytest.raises(InputError, match=f"twice.*{first} and {path}"):
        list_them([first, path], tmp_path)
    assert not list_them([path, second], tmp_path)


def test_a_copy_of_a_file_without_a_name_in_the_archive(tmp_path: Path):
    path = tmp_path / "tiny.fits"
    write_tiny(path)
    copy = Path(shutil.copy(path, tmp_path / "again.fits"))
    with pytest.raises(InputError, match="given twice"):
        list_them([path, copy], tmp_path)
    write_tiny(copy)
    assert not list_them([path, copy], tmp_path)


@pytest.mark.parametrize("mode", ["mos", "nircam-wfss"])
def test_parts_of_an_exposure_are_not_given_twice(tmp_path: Path, mode: str):
    orders = {"orders": (1, 2)} if mode != "mos" else {}
    (path,) = simulated(tmp_path, mode, exposures=1, **orders)
    parts = []
    with MultiSlitModel(str(path)) as model:
        for number, slit in enumerate(model.slits):
            with MultiSlitModel() as part:
                part.update(model)
                part.slits.append(slit)
                parts.append(tmp_path / f"{path.stem}_{number}_bkgsub.fits")
                part.save(str(parts[-1]))
    assert not list_them(parts, tmp_path)
    with pytest.raises(InputError, match=f"twice .2 slits.: {path} and {parts[0]}"):
        list_them([path, *parts[:1], *parts[-1:]], tmp_path)


def test_an_exposure_in_two_states_of_two_associations(tmp_path: Path):
    path, *_ = simulated(tmp_path)
    copy = Path(shutil.copy(path, tmp_path / "other.fits"))
    template = "jw10006-{}_{{source_id}}_nirspec_f170lp-g235m"
    associations = [
        Association(f"{name}_asn.json", template.format(name), [str(file)], [], None)
        for name, file in (("c1000", path), ("c1001", copy))
    ]
    assert not list_them([path, copy], tmp_path, associations)


def test_simulated_nods_whose_headers_are_alike(tmp_path: Path):
    """Only FILENAME tells them apart, as in simulations of 2019, and in copies that were saved."""
    paths = simulated(tmp_path)
    for number, path in enumerate(paths):
        edit(path, {"EXPOSURE": "1", "EXPSTART": 56309.96, "FILENAME": f"nod{number}_cal.fits"})
    (warning,) = list_them(paths, tmp_path)
    assert "all but their FILENAME says that they are one" in warning


def test_two_detectors_that_only_their_names_tell_apart(tmp_path: Path):
    paths = simulated(tmp_path, exposures=1, detectors=("nrs1", "nrs2"))
    for path in paths:
        edit(path, {"DETECTOR": "NRS1"})
    assert not list_them(paths, tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        {"TARG_RA": 53.16},
        {"TARG_DEC": -27.8004, "TARGPROP": "STAR"},
        {"TARG_RA": 0.0, "TARG_DEC": 0.0, "TARGPROP": "STAR"},
    ],
)
def test_fixed_slits_of_two_targets(tmp_path: Path, other: dict[str, Any]):
    paths = simulated(tmp_path, "fixed-slit", exposures=3)
    edit(paths[1], other)
    with pytest.raises(InputError) as caught:
        list_them(paths, tmp_path)
    message = str(caught.value)
    assert message.count("2 targets") == 1
    assert f"'FIELD' at 53.15 -27.8 in {paths[0].stem}; '" in message
    assert f" in {paths[1].stem}; give an association for each" in message
    assert len(list_them(paths, tmp_path, on_doubt="warn")) == 1
    template = "jw10006-o010_t00{}-{{source_id}}_nirspec_f170lp-g235m-{{slit_name}}"
    associations = [
        Association(f"{number}_asn.json", template.format(number), list(map(str, own)), [], None)
        for number, own in ((1, paths[::2]), (2, paths[1:2]))
    ]
    assert not list_them(paths, tmp_path, associations)


@pytest.mark.parametrize(
    "other",
    [
        {"TARG_RA": 53.1502, "TARGPROP": "FIELD-2"},
        {"TARG_RA": 0.0, "TARG_DEC": 0.0},
        {"TARG_RA": 53.2, "TARGTYPE": "MOVING"},
    ],
)
def test_fixed_slits_of_one_target(tmp_path: Path, other: dict[str, Any]):
    paths = simulated(tmp_path, "fixed-slit")
    edit(paths[1], other)
    assert not list_them(paths, tmp_path, on_doubt="stop")


@pytest.mark.parametrize(
    ("mode", "keyword"), [("mos", "MSAMETFL"), ("nircam-wfss", "SCATFILE"), ("miri-wfss", "")]
)
def test_one_id_of_two_catalogues(tmp_path: Path, mode: str, keyword: str):
    paths = simulated(tmp_path, mode)
    for path, shift in zip(paths, (0, 0.001), strict=True):
        edit(path, {keyword: f"{shift}.fits"} if keyword else {}, SRCRA=53.1 + shift, SRCDEC=60.0)
    (warning,) = list_them(paths, tmp_path)
    assert warning.startswith('2 products would combine sources more than 1" apart')
    names = ("'0.fits' ", "'0.001.fits' ") if keyword else ("", "")
    positions = ("53.1 60.0", "53.101 60.0")
    for name, position, path in zip(names, positions, paths, strict=True):
        assert f"{name}at {position} in {path.stem}" in warning
    assert "give an association for the exposures of each" in warning
    with pytest.raises(InputError, match="apart"):
        list_them(paths, tmp_path, on_doubt="stop")
    edit(paths[1], {"TARGTYPE": "MOVING"})
    assert not list_them(paths, tmp_path)


def test_one_source_in_two_catalogues(tmp_path: Path):
    paths = simulated(tmp_path, "nircam-wfss")
    for path, shift in zip(paths, (0, 0.0005), strict=True):
        edit(path, {"SCATFILE": f"{shift}.ecsv"}, SRCRA=(359.9999 + shift) % 360, SRCDEC=60.0)
    assert not list_them(paths, tmp_path, on_doubt="stop")


def test_positions_of_background_and_unknown_ones_are_not_compared(tmp_path: Path):
    paths = simulated(tmp_path, background=1, virtual=1)
    edit(paths[0], SRCRA=[0.0, 53.1, 53.1, 53.1], SRCDEC=[0.0, 1.0, 1.0, 1.0])
    edit(paths[1], SRCRA=[53.2, 53.1, 53.9, 53.9], SRCDEC=[1.0, 1.0, 1.0, 1.0])
    assert not list_them(paths, tmp_path, on_doubt="stop")


def test_what_the_user_joins_is_not_doubted(tmp_path: Path):
    paths = simulated(tmp_path)
    edit(paths[1], SRCRA=60.0)
    table = tmp_path / "joins.csv"
    table.write_text("target,source_id\n59,59\n60,60\n")
    assert not list_them(paths, tmp_path, joins=str(table), on_doubt="stop")


def test_background_slitlet_with_the_id_of_a_source(tmp_path: Path):
    """As pipelines before 1.15 numbered them."""
    (path,) = simulated(tmp_path, exposures=1, sources=3, version="1.14.0")
    ra, dec = map(float, POSITION.split())
    regions = [REGION, REGION.replace("52.", "53."), REGION.replace("214.", "215.")]
    edit(path, SRCRA=[ra, ra, ra + 1], SRCDEC=[dec, dec, dec], S_REGION=regions)
    (warning,) = list_them([path], tmp_path)
    assert f"{path}: the footprint of 1 slit (2) does not cover the source" in warning
    with pytest.raises(InputError, match="footprint"):
        list_them([path], tmp_path, on_doubt="stop")
    edit(path, {"CAL_VER": "1.15.0"})
    assert not list_them([path], tmp_path)


def test_several_doubts_are_told_at_once(tmp_path: Path):
    first, second = simulated(tmp_path)
    edit(second, SRCRA=60.0)
    copy = Path(shutil.copy(first, tmp_path / "copy.fits"))
    with pytest.raises(InputError) as caught:
        list_them([first, second, copy], tmp_path, on_doubt="stop")
    head, *doubts = str(caught.value).split("\n- ")
    assert head == "nothing is written:"
    assert ["twice" in doubt for doubt in doubts] == [True, False]


@pytest.mark.parametrize(
    ("degrees", "text"),
    [
        ((0.0, -1), "0.0 -1"),
        ((0.0, 0.0), ""),
        ((10**400, 1.0), ""),
        ((float("nan"), 1.0), ""),
        (("1", None), ""),
    ],
)
def test_positions_in_an_index(degrees: tuple[Value, Value], text: str):
    assert sky_position(*degrees) == text


def test_separation_and_footprint():
    assert separation("10.0 60.0", "10.0 60.0") == 0
    assert separation("359.9999 60", "0.0001 60.0") == pytest.approx(0.36, rel=1e-6)
    assert separation("10.0 -89.99", "190.0 -89.99") == pytest.approx(72, rel=1e-6)
    assert not is_outside(POSITION, REGION)
    assert is_outside("214.8347 52.8682", REGION)
    assert is_outside("214.8337 52.8686", REGION)
    assert not is_outside("", REGION)
    assert not is_outside("359.9999 0.001", "POLYGON ICRS 359.999 0.001 0.001 0.0 0.001 0.001")
    field = "POLYGON ICRS 53.0 -27.8 53.1 -27.8 53.1 -27.7 53.0 -27.7"
    for region in ("", "POLYGON ICRS", "CIRCLE ICRS x", field):
        assert not is_outside(POSITION, region)
