"""Simulated NIRSpec slits are built as those of flight exposures."""

import io
import re
from pathlib import Path
from typing import Any

import asdf
import pytest
from astropy.io import fits
from eras import DATA, unpack

from exp_to_source.simulate.exposures import Simulation, simulate

FLIGHT = {
    "mos": DATA / "flight" / "jw01345062001_03101_00001_nrs2_cal.fits.xz",
    "fixed-slit": DATA / "flight" / "test1_cal.fits.xz",
}
#: Attributes of slits in those files alone: of msaexp, and of slits saved one by one.
FLIGHT_ONLY = {
    "mos": {
        *("bkg_index", "is_background", "prof_sigma", "skip", "slit_index", "src_index", "yoffset"),
        *("_fits_hash", "asdf_library", "history"),
    },
    "fixed-slit": set(),
}
#: Attributes that later steps or versions add.
ADDED = {
    *("barshadow_corrected", "flatfield_point", "flatfield_uniform", "pathloss_correction_type"),
    *("photom_point", "photom_uniform", "slit_xscale", "slit_yscale", "source_type"),
    "wavelength_corrected",
}
#: The same of metadata; the first was of the file in stage 1.
META_FLIGHT_ONLY = {"filetype", "group_id"}
META_ADDED = {"asn", "compress", "guide_star_catalog_version", "oss_software_version"}


def read_tree(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Read an ASDF tree with its tags, and the text of each slit."""
    document = fits.getdata(path, "ASDF").tobytes()
    text = document[: document.index(b"\n...")].decode()
    slits = re.split(r"\n(?=- |\w)", text[text.index("\nslits:\n") + 8 :])
    tree = asdf.util.load_yaml(io.BytesIO(document), tagged=True)
    return tree, [slit for slit in slits if slit.startswith("-")]


def simulated(folder: Path, mode: str, version: str) -> Path:
    (path,) = simulate(
        Simulation(mode=mode, version=version, exposures=1, sources=2, shape=(4, 7)), folder
    )
    return path


@pytest.mark.parametrize("mode", FLIGHT)
def test_slits_have_what_flight_slits_have(tmp_path: Path, mode: str):
    """Attributes, metadata of the exposure, an empty table of times, and as much text."""
    flight, flight_texts = read_tree(unpack(FLIGHT[mode], tmp_path, 1))
    tree, texts = read_tree(simulated(tmp_path / "simulated", mode, "1.14.0"))
    theirs, ours = flight["slits"][0], tree["slits"][0]
    assert theirs.keys() - ours.keys() == FLIGHT_ONLY[mode]
    assert ours.keys() - theirs.keys() <= ADDED
    assert theirs["meta"].keys() - ours["meta"].keys() <= META_FLIGHT_ONLY
    assert ours["meta"].keys() - theirs["meta"].keys() <= META_ADDED
    assert tree["meta"].keys() <= ours["meta"].keys()
    table = {key: value for key, value in theirs["int_times"].items() if key != "source"}
    for slit in tree["slits"]:
        assert slit["int_times"].items() >= table.items()
    assert all(0.5 < len(text) / len(flight_texts[0]) < 2 for text in texts)


@pytest.mark.parametrize(
    ("mode", "version"),
    [
        *((mode, version) for mode in FLIGHT for version in ("1.14.0", "1.20.2")),
        *(("mos", "2.0.1"), ("nircam-wfss", "1.14.0")),
    ],
)
def test_table_of_times_is_of_the_day(tmp_path: Path, mode: str, version: str):
    """NIRSpec slits have it as the libraries of the day wrote it, and none since 2.0."""
    tree, _ = read_tree(simulated(tmp_path / "simulated", mode, version))
    tables = [slit.get("int_times") for slit in tree["slits"]]
    if version == "2.0.1" or mode == "nircam-wfss":
        assert not any(tables)
        return
    folder = DATA / "eras_flight" / version / ("mos" if mode == "mos" else "fs")
    era, _ = read_tree(unpack(min(folder.iterdir()), tmp_path, 1))
    theirs = era["slits"][0]["int_times"]
    for table in tables:
        assert {**table, "source": 0} == {**theirs, "source": 0}
    assert len({table["source"] for table in tables}) == len(tables)
