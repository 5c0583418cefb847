"""Spectra are what the installed Spec3Pipeline makes of the same exposures."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asdf.util import load_yaml
from astropy.io import fits
from eras import DATA, unpack
from fakecrds import Crds
from snake import ROOT, Workflow
from stdatamodels.jwst import datamodels

from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.spec3.references import SERVERLESS

#: Cards of time, of software, of a file's own name, whose ids may have other digits, and of where
#: this package has its reference file.
OWN_CARDS = ("DATE", "HISTORY", "FILENAME", "R_EXTR1D")

#: What products do not have of the pipeline's notes, and numbers of blocks, which are in any order.
PRODUCT_KEYS = ("exptype", "group_id", "source")

#: Keys of the tree, likewise; the pipeline's logs are of all sources so far.
OWN_KEYS = (
    *("asdf_library", "history", "_fits_hash", "cal_logs", "date", "filename", "extract1d"),
)

#: WCSs refer to their own inverses.
DEEP = 40

OFFICIAL = """
import json, sys
from exp_to_source.spec3.references import without_crds
steps, offline = json.loads(sys.argv[2]), len(sys.argv) < 4
with without_crds(offline):
    from exp_to_source.spec3.pipeline import without_references
    from jwst.pipeline import Spec3Pipeline
    for step, own in (without_references() if offline else {}).items():
        steps[step] = own | steps.get(step, {})
    Spec3Pipeline.call(
        sys.argv[1], output_dir=".", save_results=True, configure_log=False, steps=steps
    )
"""

#: Parameters that a made-up context of CRDS has.
CONTEXT = {"pixel_replace": {"skip": False}, "extract_1d": {"log_increment": 7}}

SLITS = {"crf", "s2d", "x1d"}
CASES = {
    "mos": ({"sources": 1, "background": 1}, SLITS),
    "mos one exposure": ({"sources": 1, "virtual": 1, "exposures": 1}, SLITS),
    "mos pixels replaced": ({"sources": 1}, SLITS),
    "mos context": ({"sources": 1}, SLITS),
    "fixed-slit": ({"fixed_slits": ("S200A1",)}, SLITS),
    "fixed-slit background": ({"fixed_slits": ("S200A1",)}, SLITS),
    "fixed-slit background of one": ({"fixed_slits": ("S200A1",)}, SLITS),
    "mos moving": ({"sources": 1}, SLITS),
    "mos flight": ({}, SLITS),
    "mos odd": ({"sources": 4, "detectors": ("nrs1", "nrs2"), "shape": (8, 24)}, SLITS),
    "fixed-slit secondary": ({"fixed_slits": ("S200A1", "S400A1"), "shape": (8, 24)}, SLITS),
    # Since 1.19, the association names the target.
    "niriss-wfss": (
        {"source_ids": (9, 3, 5), "overlap": "partial", "version": "3.0.0"},
        {"c1d", "x1d"},
    ),
    "niriss-wfss no pixel": ({"source_ids": (9, 3, 5)}, {"c1d", "x1d"}),
    "nircam-wfss": ({"sources": 3}, {"c1d", "x1d"}),
    "nircam-wfss odd": (
        {"sources": 2, "orders": (1, 2), "detectors": ("nrcalong", "nrcblong"), "shape": (8, 24)},
        {"c1d", "x1d"},
    ),
    "miri-wfss": ({"sources": 3}, {"c1d", "x1d"}),
}

#: All cases take five minutes: SPEC3_MODES=all.
SOME = [
    *("mos", "niriss-wfss", "niriss-wfss no pixel", "mos moving"),
    *("fixed-slit background", "fixed-slit background of one"),
    *("mos flight", "mos odd", "fixed-slit secondary", "nircam-wfss odd"),
]
MODES = list(CASES) if os.environ.get("SPEC3_MODES") == "all" else SOME


def call(*words: object, folder: Path, **environment: str) -> None:
    folder.mkdir()
    environment = os.environ | environment
    environment |= {"PYTHONPATH": str(ROOT / "scripts"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *map(str, words)], cwd=folder, env=environment,
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def content(path: Path) -> tuple[list[Any], dict[str, Any]]:
    """HDUs with their cards and bytes, and the tree."""
    found, tree = [], {}
    with fits.open(path, memmap=False) as hdus:
        for hdu in hdus:
            if hdu.name == "ASDF":
                tree = load_yaml(io.BytesIO(hdu.data.tobytes()), tagged=True)
                continue
            cards = [(c.keyword, c.value) for c in hdu.header.cards if c.keyword not in OWN_CARDS]
            if hdu.name == "HDRTAB":
                # When prepared exposures were written.
                hdu.data.view(np.ndarray)["DATE"] = b""
            data = b"" if hdu.data is None else hdu.data.tobytes()
            found.append((hdu.name, hdu.ver, cards, data))
    return found, tree


def differences(one: Any, other: Any, place: tuple[str, ...] = ()) -> Iterator[str]:
    """Where two trees differ."""
    if len(place) > DEEP:
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for key in (one | other).keys() - set(OWN_KEYS):
            if (key in one) != (key in other):
                yield ".".join((*place, key))
            else:
                yield from differences(one[key], other[key], (*place, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, (*place, str(number)))
    elif repr(one) != repr(other):
        yield f"{'.'.join(place)}: {str(one)[:60]} / {str(other)[:60]}"


def plain(name: str) -> str:
    """Name of a file with as many digits of the id as it needs, and without a place for it."""
    name = name.replace("{source_id}_", "")
    return re.sub(r"([sbv])0*([0-9]+)_", r"\1\2_", name)


def add_background(association: Path) -> None:
    """Two spectra of the background, members of the association."""
    content = json.loads(association.read_text())
    for number in (1, 2):
        table = np.zeros(200, datamodels.SpecModel().get_dtype("spec_table"))
        table["WAVELENGTH"] = np.linspace(0.5, 6, len(table))
        table["SURF_BRIGHT"] = 0.1 * number + 0.01 * table["WAVELENGTH"]
        table["SB_ERROR"] = 0.01
        table["NPIXELS"] = 5
        name = f"background{number}_x1d.fits"
        with datamodels.MultiSpecModel() as model:
            model.meta.exposure.type = "NRS_FIXEDSLIT"
            model.meta.exposure.exposure_time = 100.0 * number
            model.meta.exposure.integration_time = 100.0 * number
            model.meta.observation.bkgdtarg = True
            spectrum = datamodels.SpecModel(spec_table=table)
            spectrum.name = "S200A1"
            for column in spectrum.spec_table.columns:
                column.unit = {"WAVELENGTH": "um", "SURF_BRIGHT": "MJy/sr"}.get(column.name)
            model.spec.append(spectrum)
            model.save(association.with_name(name))
        member = {"expname": name, "exptype": "background"}
        content["products"][0]["members"].append(member)
    association.write_text(json.dumps(content))


def unpack_flight(folder: Path) -> Path:
    """Put an exposure of flight into a folder, and into an association."""
    packed = DATA / "flight" / "jw01345062001_03101_00001_nrs2_cal.fits.xz"
    member = {"expname": unpack(packed, folder, 1).name, "exptype": "science"}
    name = "jw01345-o062_{source_id}_nirspec_clear-prism"
    association = folder / "jw01345-o062_spec3_00001_asn.json"
    content = {"asn_type": "spec3", "asn_id": "o062", "asn_pool": "none", "program": "01345"}
    content |= {"products": [{"name": name, "members": [member]}]}
    association.write_text(json.dumps(content))
    return association


def set_in_motion(folder: Path) -> None:
    """Have the target of all exposures move between them."""
    for number, path in enumerate(sorted(folder.glob("*_cal.fits"))):
        with datamodels.open(path) as model:
            model.meta.target.type = "MOVING"
            for slit in model.slits:
                slit.meta.wcsinfo.mt_ra = 53.1 + 1e-4 * number
                slit.meta.wcsinfo.mt_dec = -27.8 + 2e-4 * number
            model.save(path)


def make_odd(association: Path) -> None:
    """Nods in reverse; pixels and wavelengths that are missing, each in another slit."""
    content = json.loads(association.read_text())
    content["products"][0]["members"].reverse()
    association.write_text(json.dumps(content))
    for path in association.parent.glob("*_cal.fits"):
        with datamodels.open(path) as model:
            # As extract_2d does for WFSS.
            for slit in model.slits[1:]:
                slit.meta.wcsinfo.s_region = None
            model.slits[0].wavelength[:] = np.nan
            model.slits[1].wavelength[:] = 0
            model.slits[2].wavelength = None
            model.slits[3].data[:] = np.nan
            model.save(path)


@pytest.mark.parametrize("case", MODES)
def test_spectra_are_those_of_the_pipeline(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    more, kinds = CASES[case]
    mode = case.split(" ")[0]
    what = {"mode": mode, "exposures": 2, "shape": (12, 60), "association": True}
    if case == "mos flight":
        association = unpack_flight(tmp_path / "data")
    else:
        association = simulate(Simulation(**what | more), tmp_path / "data")[-1]
    config = {"associations": association, "offline": True, "spec3_classes": "[s,b,v]"}
    steps, environment = {}, {}
    if case == "mos":
        # Any name, to which the pipeline appends the source.
        content_of = json.loads(association.read_text())
        content_of["products"][0]["name"] = "My_targets"
        association.write_text(json.dumps(content_of))
    elif case in ("fixed-slit background", "fixed-slit background of one", "mos moving"):
        config |= {"prepare": True}
        if case == "mos moving":
            set_in_motion(tmp_path / "data")
        else:
            add_background(association)
        if case == "fixed-slit background of one":
            # As one has none left, it is subtracted from none.
            path = next((tmp_path / "data").glob("*_cal.fits"))
            fits.setval(path, "S_MSBSUB", value="COMPLETE")
    elif case.endswith(" odd"):
        make_odd(association)
    elif case == "niriss-wfss no pixel":
        for path in (tmp_path / "data").glob("*_cal.fits"):
            with fits.open(path, mode="update") as hdus:
                for hdu in hdus:
                    if hdu.name == "SCI" and hdu.header["SOURCEID"] == 3:
                        hdu.data[:] = np.nan
    elif case == "mos pixels replaced":
        steps = {"pixel_replace": {"skip": False}, "adaptive_trace_model": {"skip": False}}
        config |= {"spec3": json.dumps(steps)}
    elif case == "mos context":
        monkeypatch.setenv("CRDS_IGNORE_MAPPING_CHECKSUM", "1")
        context = Crds(tmp_path / "crds").add(9998, CONTEXT)
        environment = {"CRDS_PATH": str(tmp_path / "crds"), "CRDS_CONTEXT": context}
        environment |= {"CRDS_SERVER_URL": SERVERLESS}
        config |= {"offline": False, "crds_context": context, "crds_path": tmp_path / "crds"}
        config |= {"crds_server": SERVERLESS}
    words = (OFFICIAL, association, json.dumps(steps), *environment)
    call("-c", *words, folder=tmp_path / "official", **environment)
    official = {plain(path.name): path for path in (tmp_path / "official").iterdir()}

    work = Workflow(tmp_path / "work", config)
    work.make("spec3")
    ours = sorted((work.folder / "results" / "spec3").glob("*.fits"))
    if mode.endswith("wfss"):
        # The pipeline writes the spectra of all sources together.
        assert len(ours) == 2 * (len(work.products) + 1)
        ours = [path for path in ours if not re.search(r"_s[0-9]+_", path.name)]
    assert {path.name[-8:-5] for path in ours} == kinds
    spectra = {name for name in official if not name.endswith("_cal.fits")}
    assert {plain(path.name) for path in ours} == spectra
    if "prepare" in config:
        # What was done to exposures is seen in products, too.
        ours += (work.folder / "results" / "products").iterdir()
    for path in ours:
        hdus, tree = content(path)
        wanted, other = content(official[plain(path.name)])
        found = list(differences(tree, other))
        if path.name.endswith("_cal.fits"):
            keys = (what.partition(":")[0].rpartition(".")[2] for what in found)
            found = [key for key in keys if key not in PRODUCT_KEYS]
        assert [repr(hdu[:3]) for hdu in hdus] == [repr(hdu[:3]) for hdu in wanted]
        assert [hdu[3] == same[3] for hdu, same in zip(hdus, wanted, strict=True)] == [True] * len(
            hdus
        )
        assert found == []
