"""Simulated exposures are files as the official software writes and reads them."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from stdatamodels.fits_support import fits_hash
from stdatamodels.jwst import datamodels

from exp_to_source.cli import main
from exp_to_source.errors import InputError
from exp_to_source.simulate import exposures as module
from exp_to_source.simulate.exposures import FIXED_SLITS, Simulation, simulate
from exp_to_source.simulate.modes import MODES

SHAPE = (6, 10)
GRISM_HDUS = ["SCI", "DQ", "ERR", "WAVELENGTH", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT"]
CORRECTIONS = [
    f"{name}_{kind}" for name in ("FLATFIELD", "PATHLOSS", "PHOTOM") for kind in ("PS", "UN")
]
HDUS = {
    "mos": [*GRISM_HDUS[:4], "BARSHADOW", *GRISM_HDUS[4:], *CORRECTIONS],
    "fixed-slit": GRISM_HDUS + CORRECTIONS,
    "nircam-wfss": GRISM_HDUS,
    "niriss-wfss": GRISM_HDUS,
    "miri-wfss": GRISM_HDUS,
}


@pytest.fixture(scope="module")
def exposures(tmp_path_factory):
    """Paths of two simulated exposures of each mode."""
    return {
        mode: simulate(
            Simulation(mode=mode, exposures=2, sources=3, shape=SHAPE),
            tmp_path_factory.mktemp(mode),
        )
        for mode in MODES
    }


def simulate_one(folder: Path, **options) -> Path:
    """Simulate one exposure."""
    (path,) = simulate(Simulation(exposures=1, shape=SHAPE, **options), folder)
    return path


def sci_cards(path: Path, *keywords: str) -> list[tuple]:
    """Return these keywords of the SCI header of each slit; None where one is unset."""
    with fits.open(path) as hdus:
        headers = [hdu.header for hdu in hdus if hdu.name == "SCI"]
        return [tuple(header.get(keyword) for keyword in keywords) for header in headers]


def source_ids(path: Path) -> list[int]:
    """Return the source of each slit."""
    return [id_ for (id_,) in sci_cards(path, "SOURCEID")]


def asdf_slits(path: Path) -> list[str]:
    """Return the ASDF text of each slit."""
    document = fits.getdata(path, "ASDF").tobytes()
    text = document[: document.index(b"\n...")].decode()
    return text.split("\n- !core/asdf-1.1.0")[1:]


@pytest.mark.parametrize("mode", MODES)
def test_planes(exposures, mode):
    """Planes have the names, order, versions and types of real files."""
    with fits.open(exposures[mode][0]) as hdus:
        planes = [(hdu.name, hdu.ver) for hdu in hdus]
        slits = 5 if mode == "fixed-slit" else 3
        expected = [(name, ver) for ver in range(1, slits + 1) for name in HDUS[mode]]
        assert planes == [("PRIMARY", 1), *expected, ("ASDF", 1)]
        assert {hdu.data.dtype.newbyteorder("=") for hdu in hdus[1:-1] if hdu.name != "DQ"} == {
            np.dtype("float32")
        }
        data, dq = hdus["SCI"].data, hdus["DQ"].data
        assert dq.dtype == np.uint32
        assert np.array_equal(np.isnan(data), dq & 1 == 1)
        primary = hdus[0].header
        assert sum(bool(keyword) for keyword in primary) > 190
        assert primary["EXP_TYPE"] == MODES[mode].exposure_type
        assert primary["FILENAME"] == exposures[mode][0].name


@pytest.mark.parametrize("mode", MODES)
def test_opens_officially(exposures, mode):
    """Files open the fast way, and each slit knows where in the sky it is."""
    path = exposures[mode][0]
    with fits.open(path) as hdus, datamodels.open(path) as model:
        assert type(model) is datamodels.MultiSlitModel
        assert model.instance["_fits_hash"] == fits_hash(hdus)
        places = set()
        for slit in model.slits:
            rows, columns = slit.data.shape
            wcs = slit.meta.wcs
            box = wcs.bounding_box
            assert (box["x0"].upper, box["x1"].upper) == (columns - 0.5, rows - 0.5)
            world = np.array(wcs(*np.mgrid[:columns, :rows]))
            assert np.isfinite(world).all()
            places.add(tuple(world[:, 0, 0]))
        assert len(places) == len(model.slits)
    if not mode.endswith("wfss"):
        # The later steps go from the sky to pixels.
        assert np.allclose(wcs.invert(*wcs(3.0, 4.0)), (3, 4))


def test_same_as_saved_by_the_model(exposures, tmp_path, monkeypatch):
    """Our faster way of saving changes nothing."""

    def save(tree, path):
        path.parent.mkdir(exist_ok=True)
        with datamodels.MultiSlitModel(tree) as model:
            return Path(model.save(str(path)))

    monkeypatch.setattr(module, "save_exposure", save)
    (saved, _) = simulate(Simulation(exposures=2, sources=3, shape=SHAPE), tmp_path)
    ours = exposures["mos"][0]
    assert fits.FITSDiff(ours, saved, ignore_hdus=["ASDF"], ignore_keywords=["DATE"]).identical
    assert asdf_slits(ours) == asdf_slits(saved)


@pytest.mark.parametrize("mode", MODES)
def test_slits_share_yaml_nodes_and_blocks(tmp_path, mode):
    """Lists, transforms, arrays and blocks of slit 1 are used by slit 2."""
    path = simulate_one(tmp_path, mode=mode, sources=2, version="1.19.0")
    first, second, *_ = asdf_slits(path)
    used = set(re.findall(r"\*(id\d+)", second)) - set(re.findall(r"&(id\d+)", second))
    assert any(re.search(rf"&{name} \[", first) for name in used)
    assert any(re.search(rf"&{name} !transform/\S+\n +forward:", first) for name in used)
    assert any(re.search(rf"&{name} !core/ndarray\S+\n +source: \d", first) for name in used)
    blocks, more_blocks = (set(re.findall(r"source: (\d+)", text)) for text in (first, second))
    assert blocks & more_blocks and more_blocks - blocks


def test_nirspec_slits_of_older_pipelines_share_lists_alone(exposures):
    first, second, *_ = asdf_slits(exposures["mos"][0])
    used = set(re.findall(r"\*(id\d+)", second)) & set(re.findall(r"&(id\d+)", first))
    assert used and all(re.search(rf"&{name} \[", first) for name in used)
    blocks, more_blocks = (set(re.findall(r"source: (\d+)", text)) for text in (first, second))
    assert not blocks & more_blocks


def test_seed(tmp_path, exposures):
    """Pixels depend on the seed and on the exposure, and on nothing else."""

    def pixels(path):
        return fits.getdata(path, "ERR")

    one = simulate_one(tmp_path / "one", sources=3)
    other = simulate_one(tmp_path / "other", sources=3, seed=1)
    same, next_exposure = exposures["mos"]
    assert np.array_equal(pixels(one), pixels(same), equal_nan=True)
    assert not np.array_equal(pixels(one), pixels(other), equal_nan=True)
    assert not np.array_equal(pixels(one), pixels(next_exposure), equal_nan=True)
    assert [path.name for path in one.parent.iterdir()] == [one.name]


def test_partial_overlap(tmp_path):
    """Only the middle source is in all exposures, and none is lost."""
    paths = simulate(Simulation(overlap="partial", shape=SHAPE), tmp_path)
    sources = [set(source_ids(path)) for path in paths]
    assert set.intersection(*sources) == {61}
    assert set.union(*sources) == {59, 60, 61, 62, 63}


def test_detectors_and_names(tmp_path):
    """Program, exposure, detector and optical elements are where they should be."""
    s = Simulation(
        exposures=2, source_ids=(7,), program=1345, observation=66, detectors=("nrs1", "nrs2"),
        elements={"filter": "CLEAR", "grating": "PRISM"}, shape=SHAPE, version="1.20.0",
    )  # fmt: skip
    paths = simulate(s, tmp_path)
    assert [path.name for path in paths] == [
        f"jw01345066001_03101_{number:05}_{detector}_cal.fits"
        for number in (1, 2)
        for detector in ("nrs1", "nrs2")
    ]
    header = fits.getheader(paths[-1])
    expected = {"DETECTOR": "NRS2", "FILTER": "CLEAR", "GRATING": "PRISM", "CAL_VER": "1.20.0"}
    assert {keyword: header[keyword] for keyword in expected} == expected
    assert (header["PROGRAM"], header["OBSERVTN"], header["EXPOSURE"]) == ("01345", "066", "2")


def test_special_slitlets(tmp_path):
    """Background, virtual and fixed slits are named as the pipeline names them."""
    path = simulate_one(
        tmp_path, source_ids=(61, 2), background=1, virtual=1, fixed_slits=("S1600A1",)
    )
    assert sci_cards(path, "SLTNAME", "SOURCEID", "SRCNAME", "MSAQUAD") == [
        ("1", 61, "10006_61", 2),
        ("2", 2, "10006_2", 3),
        ("3", 3, "10006_BKG3", 4),
        ("4", -1, "10006_VRT4", 1),
        ("S1600A1", 62, "10006_62", 5),
    ]
    with datamodels.open(path) as model:
        types = [slit.meta.exposure.type for slit in model.slits]
        assert types == ["NRS_MSASPEC"] * 4 + ["NRS_FIXEDSLIT"]
        assert model.slits[4].barshadow is None


def test_absent_planes(tmp_path):
    """A plane left out leaves a gap in the versions; one that the mode has not is an error."""
    path = simulate_one(tmp_path, sources=3, absent=(("barshadow", 2), ("photom_point", 1)))
    with fits.open(path) as hdus:
        versions = {
            name: [hdu.ver for hdu in hdus if hdu.name == name]
            for name in ("SCI", "BARSHADOW", "PHOTOM_PS")
        }
    assert versions == {"SCI": [1, 2, 3], "BARSHADOW": [1, 3], "PHOTOM_PS": [2, 3]}
    with pytest.raises(InputError, match="fixed-slit has no image barshadow"):
        simulate_one(tmp_path, mode="fixed-slit", absent=(("barshadow", 2),))


def test_spectral_orders(tmp_path):
    """A source has a cut-out an order, and no name."""
    path = simulate_one(tmp_path, mode="niriss-wfss", source_ids=(4, 9), orders=(1, 2))
    cards = sci_cards(path, "SOURCEID", "SPORDER", "SRCNAME", "SLITID")
    assert cards == [(id_, order, None, None) for id_ in (4, 9) for order in (1, 2)]


@pytest.mark.parametrize(
    ("version", "ids"), [("1.14.0", [21, 1, 23, 24, 25]), ("1.11.4", [1, 2, 3, 4, 5])]
)
def test_fixed_slit_ids(tmp_path, version, ids):
    """Fixed slits are numbered by the rule of the version."""
    path = simulate_one(tmp_path, mode="fixed-slit", primary_slit="S200A2", version=version)
    assert sci_cards(path, "SLTNAME", "SOURCEID") == list(zip(FIXED_SLITS, ids, strict=True))


@pytest.mark.parametrize(
    ("mode", "version", "name"),
    [
        ("mos", "1.14.0", "{source_id}_nirspec_f170lp-g235m"),
        ("fixed-slit", "1.14.0", "t001-{source_id}_nirspec_f290lp-g395h-{slit_name}-allslits"),
        ("nircam-wfss", "1.14.0", "{source_id}_nircam_f356w-grismr"),
        ("niriss-wfss", "1.20.0", "t001_niriss_f140m-gr150c"),
        ("miri-wfss", "1.20.0", "t001_miri_p750l"),
    ],
)
def test_association(tmp_path, mode, version, name):
    """The template is that of the mode and the version."""
    s = Simulation(
        mode=mode, version=version, exposures=1, sources=1, shape=SHAPE, association=True
    )
    exposure, path = simulate(s, tmp_path)
    association = json.loads(path.read_text())
    members = [{"expname": exposure.name, "exptype": "science"}]
    assert association["asn_type"] == "spec3"
    assert association["products"] == [{"name": f"jw10006-o010_{name}", "members": members}]


def test_command_line(tmp_path, capsys):
    """Options reach the library."""
    options = "--exposures 1 --source-ids 61 62 --shape 6 10 --absent barshadow:2 --filter F100LP"
    main(["simulate", str(tmp_path), *options.split()])
    path = Path(capsys.readouterr().out.strip())
    assert path == tmp_path / "jw10006010001_03101_00001_nrs1_cal.fits"
    assert source_ids(path) == [61, 62]
    with fits.open(path) as hdus:
        assert hdus[0].header["FILTER"] == "F100LP"
        assert ("BARSHADOW", 1) in hdus and ("BARSHADOW", 2) not in hdus
