"""Spectra are made source by source, and again only where their product changed."""

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jwst
import numpy as np
import pytest
from astropy.io import fits
from jwst_reference import regroup
from snake import ROOT, Workflow, change_slit
from stdatamodels.exceptions import ValidationWarning
from stdatamodels.jwst import datamodels

from exp_to_source.errors import InputError
from exp_to_source.failures import record_failure
from exp_to_source.quicklook.digests import read_spectrum_digest
from exp_to_source.quicklook.spectra import read_extracted
from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.simulate.images import simulate_source
from exp_to_source.simulate.modes import MODES
from exp_to_source.spec3.combination import check_ids
from exp_to_source.spec3.pipeline import Extract1dStep, check_calibrated
from exp_to_source.spec3.references import without_crds
from exp_to_source.spec3.steps import extract


@pytest.fixture
def work(tmp_path: Path) -> Workflow:
    what = {"exposures": 2, "sources": 2, "virtual": 1, "shape": (8, 24)}
    simulate(Simulation(**what), tmp_path / "data")
    return Workflow(tmp_path / "work", {"exposures": tmp_path / "data", "offline": True})


def test_only_what_changed_is_extracted_again(work: Workflow):
    done = work.make("spec3")
    assert done["extract_spectrum"] == 2
    folder = work.folder / "results" / "spec3"
    # Without virtual slits. Mosviz pairs sorted `_s2d` with all sorted files of spectra.
    names = sorted(path.name for path in folder.glob("*.fits"))
    assert [name[-8:-5] for name in names] == ["crf", "s2d", "x1d"] * 2
    with datamodels.open(
        work.folder / "results" / "spectra" / "jw10006-o010_nirspec_f170lp-g235m_x1d.fits"
    ) as stack:
        assert [spec.source_id for spec in stack.spec] == [59, 60]
        for spec, name in zip(stack.spec, (n for n in names if "x1d" in n), strict=True):
            with datamodels.open(folder / name) as single:
                assert spec.spec_table.tobytes() == single.spec[0].spec_table.tobytes()
    assert work.make("spec3") == {}
    for row in work.sources[:2]:
        digest = read_spectrum_digest(str(work.folder / "results"), row["product"])
        assert digest == row["digest"]
    change_slit(sorted((work.folder.parent / "data").glob("*_cal.fits"))[1], 60)
    assert work.make("spec3") == {
        "index_exposure": 1, "list_sources": 1, "gather_source": 1, "extract_spectrum": 1,
        "stack_slit_spectra": 1, "spec3": 1,
    }  # fmt: skip
    # One by its name.
    name = next(folder.glob("*_s00059_*_x1d.fits"))
    name.unlink()
    target = os.path.relpath(name, work.folder)
    assert work.make(target) == {"extract_spectrum": 1}
    # Other parameters make spectra again, and no products.
    other = json.dumps({"extract_1d": {"smoothing_length": 5}, "pixel_replace": {"skip": False}})
    jobs = work.make("spec3", sources=59, spec3=other)
    assert jobs == {
        "list_sources": 1,
        "find_references": 1,
        "extract_spectrum": 1,
        "stack_slit_spectra": 1,
        "spec3": 1,
    }
    with datamodels.open(folder / name) as spectrum:
        assert spectrum.meta.cal_step.pixel_replace == "COMPLETE"


FAMILY = "jw10006-o010_niriss_f140m-gr150c"


@pytest.fixture
def grism(tmp_path: Path) -> Workflow:
    what = {"mode": "niriss-wfss", "exposures": 2, "source_ids": (9, 3, 5), "shape": (8, 24)}
    simulate(Simulation(**what), tmp_path / "data")
    return Workflow(tmp_path / "work", {"exposures": tmp_path / "data", "offline": True})


def ids(path: Path) -> list[list[int]]:
    """Ids of the sources in each extension of a table of spectra."""
    with fits.open(path) as hdus:
        return [hdu.data["SOURCE_ID"].tolist() for hdu in hdus[1:-1]]


def test_spectra_of_a_grism_are_put_together_from_what_could_be_made(grism: Workflow):
    folder = grism.folder / "results" / "spec3"
    grism.make()
    bad = next((grism.folder / "results" / "products").glob("*_s00003_*"))
    whole = bad.read_bytes()
    bad.write_bytes(whole.replace(b"XTENSION= 'IMAGE", b"XTENSION= 'IMAGO"))
    result = grism.run("spec3", "--rerun-triggers=input")
    assert result.status == 1
    assert result.jobs["extract_spectrum"] == 3
    sentence = f"exp-to-source spec3: results/products/{bad.name}: "
    assert result.text.rstrip().splitlines()[-1].startswith(sentence)
    without = bad.name.removesuffix("_cal.fits")
    told = grism.log(f"combine_grism_spectra/{FAMILY}")
    assert f"results/spec3/{FAMILY}_x1d.fits: without 1 source (it failed): {without}\n" in told
    with fits.open(folder / f"{FAMILY}_x1d.fits") as hdus:
        assert f"no spectrum of {without}: it failed" in hdus[0].header["HISTORY"]
    assert ids(folder / f"{FAMILY}_x1d.fits") == [[5, 9], [5, 9]]
    assert ids(folder / f"{FAMILY}_c1d.fits") == [[5, 9]]
    assert not (folder / f"{without}_x1d.fits").exists()
    # Once it can be made, just it and the tables are.
    bad.write_bytes(whole)
    once = {"extract_spectrum": 1, "combine_grism_spectra": 1, "spec3": 1}
    assert grism.make("spec3", "--rerun-triggers=input") == once
    assert ids(folder / f"{FAMILY}_x1d.fits") == [[3, 5, 9], [3, 5, 9]]
    assert grism.make("spec3") == {}
    # So are files that are missing.
    (folder / f"{without}_x1d.fits").unlink()
    assert grism.make("spec3") == once
    (folder / f"{FAMILY}_c1d.fits").unlink()
    assert grism.make("spec3") == {"combine_grism_spectra": 1, "spec3": 1}
    assert ids(folder / f"{FAMILY}_c1d.fits") == [[3, 5, 9]]
    # What a killed run left, of which no hook knew, is not taken for a spectrum.
    spectra = [str(folder / f"{without}_{kind}.fits") for kind in ("x1d", "c1d")]
    record = grism.folder / "results" / "failures" / "spec3" / f"{without}.txt"
    record_failure(str(record), spectra, "a sentence")
    assert grism.make("spec3")["extract_spectrum"] == 1
    assert not record.exists()
    # Fewer sources, another table.
    assert grism.make("spec3", sources="[5,9]")["combine_grism_spectra"] == 1
    assert ids(folder / f"{FAMILY}_c1d.fits") == [[5, 9]]
    # Spectra go with products whose source is gone.
    for path in (grism.folder.parent / "data").iterdir():
        with fits.open(path, mode="update") as hdus:
            for hdu in hdus:
                if hdu.header.get("SOURCEID") == 9:
                    hdu.header["SOURCEID"] = 8
    grism.make()
    assert not list(folder.glob("*_s00009_*"))
    assert len(list((grism.folder / "results" / "stale").glob("*_s00009_*_[xc]1d.fits"))) == 2


def test_associations_of_any_names_have_spectra(tmp_path: Path):
    """EXP_TYPE says which are of slits; a name may look like that of a product, or have a dot."""
    kinds = {
        "My.Run-{source_id}": {"source_ids": (61,)},
        "obs12345": {"mode": "niriss-wfss", "observation": 11, "source_ids": (7, 61)},
        "jw10006-o012_t001_niriss_f140m-gr150c": {
            "mode": "niriss-wfss", "observation": 12, "source_ids": (7,),
        },
    }  # fmt: skip
    for name, what in kinds.items():
        folder = tmp_path / name.replace("{source_id}", "")
        simulate(Simulation(exposures=1, shape=(8, 24), association=True, **what), folder)
        (association,) = folder.glob("*_asn.json")
        content = json.loads(association.read_text())
        content["products"][0]["name"] = name
        association.write_text(json.dumps(content))
    config = {"associations": f"{tmp_path}/*/*_asn.json", "offline": True}
    work = Workflow(tmp_path / "work", config)
    folder = work.folder / "results" / "spec3"
    one = "results/spec3/obs12345_s00007_x1d.fits"
    assert work.make(one)["extract_spectrum"] == 1
    jobs = work.make("spec3")
    assert (jobs["extract_spectrum"], jobs["combine_grism_spectra"]) == (3, 2)
    assert {path.name for path in folder.glob("*.fits")} == {
        *(f"My.Run-s00061_{kind}.fits" for kind in ("crf", "s2d", "x1d")),
        *(
            f"{name}_{kind}.fits"
            for kind in ("x1d", "c1d")
            for name in (
                *("obs12345", "obs12345_s00007", "obs12345_s00061"),
                "jw10006-o012_t001_niriss_f140m-gr150c",
                "jw10006-o012_s00007_niriss_f140m-gr150c",
            )
        ),
    }
    assert ids(folder / "obs12345_x1d.fits") == [[7, 61]]
    assert {path.stem for path in (work.folder / "results" / "references").iterdir()} == {
        *("My.Run", "obs12345", "jw10006-o012_t001_niriss_f140m-gr150c"),
    }
    none = work.run("results/spec3/My.Run_x1d.fits")
    assert "My.Run: no source of a grism in it is wanted" in none.text


def edit_slits(work: Workflow, edit: Callable[[Any], None], *source_ids: int) -> None:
    """Edit the HDUs of sources in all exposures."""
    for path in (work.folder.parent / "data").glob("*_cal.fits"):
        with fits.open(path, mode="update") as hdus:
            versions = {h.ver for h in hdus if h.header.get("SOURCEID") in source_ids}
            for hdu in hdus[1:-1]:
                if hdu.ver in versions:
                    edit(hdu)


def blank(hdu: Any) -> None:
    """Leave no valid pixel."""
    if hdu.name == "SCI":
        hdu.data[:] = np.nan


def test_sources_of_a_grism_without_a_valid_pixel_or_a_footprint(grism: Workflow):
    """As in the pipeline, the former have a row in one table, and none in the other."""

    def forget(hdu: Any) -> None:
        hdu.header.pop("S_REGION", None)

    edit_slits(grism, blank, 3)
    # Only the first slit of an exposure has that of the exposure, which is that of the table.
    edit_slits(grism, forget, 3, 5)
    result = grism.run("spec3")
    assert result.status == 0, result.text
    folder = grism.folder / "results" / "spec3"
    table = folder / f"{FAMILY}_x1d.fits"
    assert ids(table) == [[3, 5, 9], [3, 5, 9]]
    assert ids(folder / f"{FAMILY}_c1d.fits") == [[5, 9]]
    name = FAMILY.replace("_", "_s00003_", 1)
    note = f"{FAMILY}_c1d.fits: without 1 source (no valid pixel to combine): {name}"
    assert result.text.count(note) == 1
    with datamodels.open(folder / f"{name}_c1d.fits") as spectrum:
        assert len(spectrum.spec) == 0
        assert spectrum.meta.cal_step.combine_1d == "SKIPPED"
    assert "no valid pixel to combine" in fits.getval(folder / f"{name}_c1d.fits", "HISTORY")
    assert grism.make("spec3") == {}
    region = fits.getval(table, "S_REGION", 1)
    grism.make("spec3", sources="[3,5]")
    assert ids(table)[0] == [3, 5]
    assert fits.getval(table, "S_REGION", 1) == region
    # The pipeline ends with an error if no source has a valid pixel.
    edit_slits(grism, blank, 5, 9)
    grism.make("spec3")
    assert ids(table) == [[3, 5, 9], [3, 5, 9]]
    assert ids(folder / f"{FAMILY}_c1d.fits") == []
    with datamodels.open(folder / f"{FAMILY}_c1d.fits") as spectra:
        assert len(spectra.spec) == 0


@pytest.mark.parametrize("mode", ["mos", "niriss-wfss"])
def test_odd_cut_outs_do_not_spoil_other_sources(mode: str, tmp_path: Path):
    """Without pixels, of one pixel, without weights: each fails by itself, or has a spectrum."""
    what = {"mode": mode, "exposures": 1, "source_ids": (1, 2, 3), "shape": (8, 24)}
    (path,) = simulate(Simulation(**what), tmp_path / "data")
    with datamodels.open(path) as model:
        for size, slit in enumerate(model.slits[:2]):
            for name, plane in list(slit.instance.items()):
                if np.ndim(plane) == 2:
                    setattr(slit, name, plane[:size, :size].copy())
        for name in ("var_poisson", "var_rnoise", "var_flat", "err"):
            getattr(model.slits[2], name)[:] = 0
        model.save(path)
    products = regroup([path], tmp_path / "results")
    stems = [product.name.removesuffix("_cal.fits") for product in products]
    digests = tmp_path / "digests"
    digests.mkdir()
    # Of another state of the product.
    old = [digests / f"{stems[0]}.txt", tmp_path / f"{stems[0]}_s2d.fits"]
    for file in old:
        file.touch()
    options = ["--offline", "--folder", tmp_path, "--record-failure", tmp_path / "failure.txt"]
    options += ["--digest", "a", "b", "c"]
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "exp-to-source", "spec3", *products, *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    start = "exp-to-source spec3: "
    sentences = [line for line in done.stderr.splitlines() if line.startswith(start)]
    assert [s.split(" (")[0] for s in sentences] == [
        f"{start}{product}: a step failed" for product in products[:2]
    ]
    for kind in ("crf", "s2d", "x1d") if mode == "mos" else ("x1d", "c1d"):
        datamodels.open(tmp_path / f"{stems[2]}_{kind}.fits").close()
    assert not any(file.exists() for file in old)
    assert [(p.stem, p.read_text()[:2]) for p in digests.iterdir()] == [(stems[2], "c ")]


def test_spectra_without_references_have_the_flux_of_their_source(tmp_path: Path):
    """Six rows are about the place of the source, also of an extended one."""
    simulation = Simulation(source_ids=(60, 67), exposures=2, shape=(30, 120))
    products = regroup(simulate(simulation, tmp_path / "data"), tmp_path / "results")
    command = [sys.executable, ROOT / "scripts" / "exp-to-source", "spec3", *products]
    subprocess.run([*command, "--offline", "--folder", tmp_path], check=True, capture_output=True)
    for product, id_ in zip(products, simulation.source_ids, strict=True):
        (spectrum,) = read_extracted(str(tmp_path / product.name.replace("_cal", "_x1d")))
        source = simulate_source(0, id_, MODES["mos"].waverange)
        width = source.size * (1.8 if id_ == 60 else 1)
        truth = math.erf(3 / width / 2**0.5) * source.spectrum(spectrum.wavelengths).sum()
        assert spectrum.flux.sum() == pytest.approx(truth, rel=0.03)


def test_spectra_of_count_rates_are_refused_before_any_is_made(grism: Workflow):
    """They would be labelled Jy."""

    def undo(hdu: Any) -> None:
        if "BUNIT" in hdu.header:
            hdu.header["BUNIT"] = "DN/s"

    edit_slits(grism, undo, 3, 5, 9)
    result = grism.run("spec3")
    assert result.status == 1
    assert "00001_nis_cal.fits: its pixels are in DN/s, as pipelines after 3.0.x" in result.text
    assert "calibrate the exposures with jwst 3.0.x" in result.text.splitlines()[-1]
    assert result.jobs["extract_spectrum"] == 0
    (product, *_) = (grism.folder / "results" / "products").iterdir()
    with pytest.raises(InputError, match=f"{product.name}: its pixels are in DN/s"):
        extract(product, grism.folder)


def test_values_against_the_schemas_are_left_out_as_in_the_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    what = {"mode": "niriss-wfss", "exposures": 1, "source_ids": (1,), "shape": (8, 24)}
    (product,) = regroup(simulate(Simulation(**what), tmp_path / "data"), tmp_path)
    finalize = Extract1dStep.finalize_result

    def finalize_invalid(step: Any, result: Any, references: Any) -> None:
        finalize(step, result, references)
        # What stdatamodels would save instead of a number, unlike others.
        result.meta.exposure.nints = "N/A"

    monkeypatch.setattr(Extract1dStep, "finalize_result", finalize_invalid)
    with (
        patch.dict(os.environ),
        without_crds(),
        pytest.warns(ValidationWarning, match="'N/A' is not of type 'integer'"),
    ):
        spectrum, _ = extract(product, tmp_path, offline=True)
    assert fits.getval(spectrum, "NINTS") == fits.getval(product, "NINTS")


def test_later_pipelines_make_no_spectra_of_wfss_products(monkeypatch: pytest.MonkeyPatch):
    check_calibrated("x", "NIS_WFSS", ["MJy"])
    for version in ("3.1.0", "3.1.0.dev74+g9c979f9dd", "4.0.0"):
        monkeypatch.setattr(jwst, "__version__", version)
        check_calibrated("x", "NRS_MSASPEC", [])
        with pytest.raises(InputError, match=rf"^x: WFSS .* {re.escape(version)} is"):
            check_calibrated("x", "NIS_WFSS", [])


def test_classes_that_are_not_wanted_are_in_no_table(tmp_path: Path):
    what = {"mode": "niriss-wfss", "exposures": 1, "source_ids": (1, 2, 3), "shape": (8, 24)}
    (path,) = simulate(Simulation(**what), tmp_path / "data")
    with fits.open(path, mode="update") as hdus:
        for hdu in hdus:
            if hdu.header.get("SOURCEID") == 2:
                hdu.header["SOURCEID"] = -2
    config = {"exposures": tmp_path / "data", "offline": True}
    work = Workflow(tmp_path / "work", config)
    work.make("spec3", spec3_classes="[s,v]")
    table = work.folder / "results" / "spec3" / f"{FAMILY}_x1d.fits"
    assert ids(table) == [[-2, 1, 3]]
    work.make("spec3")
    assert ids(table) == [[1, 3]]
    with fits.open(table) as hdus:
        assert "no spectrum of" not in str(hdus[0].header.get("HISTORY", ""))


def test_sources_of_one_id_in_one_table_are_refused():
    owners: dict[int, str] = {}
    check_ids("a_x1d.fits", [1, 2], owners)
    check_ids("a_x1d.fits", [1, 2], owners)
    with pytest.raises(InputError, match=r"^a_x1d.fits and b_x1d.fits both have SOURCEID 2, by"):
        check_ids("b_x1d.fits", [2], owners)


def test_mistakes_in_parameters_and_targets_that_move_are_refused_before_any_step(work: Workflow):
    """All mistakes are named; the pipeline changes the WCS of such targets before it regroups."""
    wrong = {
        "extract1d": {},
        "extract_1d": {"extraction_typ": "box", "bkg_order": 2.5, "suffix": "x"},
        "resample_spec": {"skip": True},
        "photom": {},
    }
    result = work.run("spec3", sources=59, spec3=json.dumps(wrong))
    assert result.status == 1
    for line in (
        "exp-to-source references: spec3: 6 mistakes:",
        "- no step 'extract1d' is run on products (did you mean 'extract_1d'?)",
        "- extract_1d: has no parameter 'extraction_typ' (did you mean 'extraction_type'?)",
        "- extract_1d: Config parameter 'bkg_order': the value \"2.5\" is of the wrong type",
        "- extract_1d: suffix is the workflow's; leave it out",
        "- resample_spec: cannot be skipped, as its file is an output; leave it out",
        "- no step 'photom' is run on products",
    ):
        assert line in result.text
    assert result.jobs["extract_spectrum"] == 0
    for path in (work.folder.parent / "data").iterdir():
        fits.setval(path, "TARGTYPE", value="MOVING")
    result = work.run("spec3", sources=59)
    assert result.status == 1
    assert (
        "its target moves, for which the pipeline changes the WCS of all exposures" in result.text
    )
    assert list((work.folder / "results" / "spec3").glob("*.fits")) == []


def test_background_members_that_were_not_subtracted_are_refused(tmp_path: Path):
    what = {"mode": "fixed-slit", "fixed_slits": ("S200A1",), "exposures": 2, "shape": (8, 24)}
    simulate(Simulation(**what, association=True), tmp_path / "data")
    (association,) = (tmp_path / "data").glob("*_asn.json")
    content = json.loads(association.read_text())
    content["products"][0]["members"].append({"expname": "b_x1d.fits", "exptype": "background"})
    association.write_text(json.dumps(content))
    work = Workflow(tmp_path / "work", {"associations": association, "offline": True})
    result = work.run("spec3")
    assert result.status == 1
    assert "its association has background members, which the pipeline subtracts" in result.text
    result = work.run("spec3", prepare=True)
    assert f"{association}: its background member" in result.text
    assert "b_x1d.fits' is not a file; bring it back or correct the association" in result.text
    background = association.with_name("b_x1d.fits")
    background.write_bytes(b"no spectrum")
    result = work.run("spec3", prepare=True)
    assert f"{background}: cannot be opened: " in result.text
    (exposure, _) = (tmp_path / "data").glob("*_cal.fits")
    background.write_bytes(exposure.read_bytes())
    result = work.run("spec3", prepare=True)
    assert f"{association}: its background members cannot be combined (" in result.text
    assert "Traceback" not in result.text
    background.unlink()
    # Exposures of which the background was subtracted are as the pipeline would have them.
    for path in (tmp_path / "data").glob("*_cal.fits"):
        with fits.open(path, mode="update") as hdus:
            hdus[0].header["S_MSBSUB"] = "COMPLETE"
    work.make("spec3")


def test_exposures_are_prepared_with_those_of_their_association(tmp_path: Path):
    what = {"mode": "fixed-slit", "fixed_slits": ("S200A1",), "exposures": 2, "shape": (8, 24)}
    simulate(Simulation(**what, association=True), tmp_path / "data")
    (association,) = (tmp_path / "data").glob("*_asn.json")
    work = Workflow(tmp_path / "work", {"associations": association, "prepare": True})
    assert work.make() == {
        "survey_association": 1,
        "prepare_exposure": 2,
        "index_exposure": 2,
        "list_sources": 1,
        "gather_source": 1,
    }
    assert work.make() == {}
    assert work.make("verify")["verify_products"] == 1
    # Exposures of the run's own are no exposures of the user.
    both = work.run(exposures=f"{tmp_path}/**/*_cal.fits")
    assert both.status == 0, both.text
    assert both.jobs == {"list_sources": 1}
    assert work.make() == {"list_sources": 1}
    (exposure, _) = sorted((tmp_path / "data").glob("*_cal.fits"))
    assert work.run("--batch=all=1/2").status == 0
    change_slit(exposure, 1)
    # No gather would meet the exposure itself.
    assert "--batch divides the products of a source list" in work.run("--batch=all=1/2").text
    assert work.make()["prepare_exposure"] == 2
    # Whatever the times say.
    with fits.open(exposure, mode="update") as hdus:
        hdus["SCI"].data[0, 0] = 43
    os.utime(exposure, (1e9, 1e9))
    assert work.make()["gather_source"] == 1
    assert work.make() == {}
    prepared = work.folder / "results" / "prepared" / exposure.name
    # Snakemake does not look for inputs of an index that need not be made.
    prepared.unlink()
    (work.folder / "results" / "index" / f"{exposure.stem}.txt").unlink()
    jobs = work.make()
    assert (jobs["survey_association"], jobs["prepare_exposure"]) == (0, 1)
    assert work.make() == {"list_sources": 1}
    assert work.make() == {}
    exposure.write_bytes(b"no FITS")
    result = work.run()
    assert result.status == 1
    assert f"{exposure}: cannot be opened" in result.text
    assert "Traceback" not in result.text


def test_exposures_that_cannot_be_prepared_are_refused(tmp_path: Path):
    simulate(Simulation(exposures=1, shape=(8, 24), association=True), tmp_path / "data")
    (association,) = (tmp_path / "data").glob("*_asn.json")
    work = Workflow(tmp_path / "work", {"prepare": True})
    result = work.run(exposures=tmp_path / "data")
    assert "prepare: needs associations, which say what exposures belong together" in result.text
    other = association.with_name("jw10006-o010_spec3_00002_asn.json")
    other.write_bytes(association.read_bytes())
    result = work.run(associations=tmp_path / "data")
    assert "'prepare' takes an exposure with the others of one" in result.text
