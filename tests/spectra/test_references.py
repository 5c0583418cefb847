"""What spectra depend on besides their product: contexts, reference files, parameters."""

import json
from pathlib import Path

import asdf
import pytest
from fakecrds import Crds
from snake import Workflow
from stdatamodels.jwst import datamodels

from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.spec3.references import override_files

FAMILY = "jw10006-o010_nirspec_f170lp-g235m"
SPECTRUM = "results/spec3/jw10006-o010_s00001_nirspec_f170lp-g235m_x1d.fits"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    for name in ("CRDS_PATH", "CRDS_CONTEXT", "CRDS_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
    # Those of the made-up mappings are made up, too.
    monkeypatch.setenv("CRDS_IGNORE_MAPPING_CHECKSUM", "1")
    simulate(Simulation(exposures=1, source_ids=(1,), shape=(12, 24)), tmp_path / "data")
    config = {"exposures": tmp_path / "data", "crds_path": tmp_path / "crds"}
    # Nobody listens there.
    return Workflow(tmp_path / "work", config | {"crds_server": "http://127.0.0.1:9"})


@pytest.fixture
def crds(tmp_path: Path) -> Crds:
    return Crds(tmp_path / "crds")


def found(work: Workflow) -> dict[str, object]:
    return json.loads((work.folder / "results" / "references" / f"{FAMILY}.json").read_text())


def test_spectra_are_made_with_what_a_context_has(work: Workflow, crds: Crds):
    context = crds.add(9998, {"pixel_replace": {"skip": False}, "extract_1d": {"log_increment": 7}})
    work.config["crds_context"] = context
    jobs = work.make("references")
    assert (jobs["find_references"], jobs["gather_source"]) == (1, 0)
    assert work.make(SPECTRUM) == {"gather_source": 1, "extract_spectrum": 1}
    what = found(work)
    assert what["crds"] == {"context": context, "path": str(crds.root)}
    files = [Path(file).name for files in what["references"].values() for file in files]
    assert sorted(files) == [
        "jwst_nirspec_extract1d_9998.json",
        "jwst_nirspec_pars-extract1dstep_9998.asdf",
        "jwst_nirspec_pars-pixelreplacestep_9998.asdf",
    ]
    assert what["parameters"]["extract_1d"]["log_increment"] == 7
    with datamodels.open(work.folder / SPECTRUM) as spectrum:
        assert spectrum.meta.cal_step.pixel_replace == "COMPLETE"
        assert spectrum.meta.ref_file.crds.context_used == context
        assert spectrum.meta.ref_file.extract1d.name == "crds://jwst_nirspec_extract1d_9998.json"
        assert set(spectrum.spec[0].spec_table["NPIXELS"].tolist()) <= {0.0, 7.0}
    assert work.make(SPECTRUM) == {}
    # Where the files are makes no difference; which context does.
    assert work.make(SPECTRUM, crds_server="http://127.0.0.1:10") == {"list_sources": 1}
    other = crds.add(9999, {}, width=5)
    jobs = work.make(SPECTRUM, crds_context=other)
    assert jobs == {"list_sources": 1, "find_references": 1, "extract_spectrum": 1}
    with datamodels.open(work.folder / SPECTRUM) as spectrum:
        assert spectrum.meta.cal_step.pixel_replace == "SKIPPED"
        assert set(spectrum.spec[0].spec_table["NPIXELS"].tolist()) <= {0.0, 5.0}


def test_what_crds_lacks(work: Workflow):
    # CRDS exits, with words that have no beginning.
    result = work.run("spec3")
    assert result.status == 1
    why = result.text.splitlines()[-1]
    assert why.startswith(
        f"exp-to-source references: CRDS: there is no cache in {work.config['crds_path']},"
    )
    assert "http://127.0.0.1:9; set 'crds_path' (docs/how-to/spectra.md), or 'offline: true'" in why
    assert f"0 of 1 spectrum in {work.folder}/results/spec3, " in result.text
    crds = Crds(Path(work.config["crds_path"]))
    context = crds.add(9998, {})
    result = work.run(SPECTRUM)
    assert result.status == 1
    assert "CRDS: http://127.0.0.1:9 cannot be reached; set 'crds_context'" in result.text
    (reference,) = (crds.root / "references").rglob("*extract1d*.json")
    content = reference.read_bytes()
    reference.unlink()
    result = work.run(SPECTRUM, crds_context=context)
    assert result.status == 1
    assert f"{reference}: is not in the cache of CRDS, whose server cannot" in result.text
    assert f"'crds sync --files {reference.name}' fetches it" in result.text
    reference.write_bytes(content)
    work.make(SPECTRUM, crds_context=context)
    # A file that goes between two runs.
    reference.unlink()
    (work.folder / SPECTRUM).unlink()
    result = work.run(SPECTRUM, crds_context=context)
    assert result.status == 1
    assert f"{reference}: is gone from the cache of CRDS; bring it back, or delete" in result.text
    assert "Traceback" not in result.text


def test_parameters_from_a_file(work: Workflow, tmp_path: Path):
    path = tmp_path / "pars.asdf"
    parameters = {"smoothing_length": 5, "suffix": "x1d", "skip": False}
    # As strun names it.
    name = "jwst.extract_1d.extract_1d_step.Extract1dStep"
    step = {"class": name, "name": "Extract1dStep"}
    asdf.AsdfFile({**step, "parameters": parameters}).write_to(path)
    work.config |= {"offline": True, "spec3_parameters": path}
    assert work.make("spec3")["find_references"] == 1
    assert found(work)["steps"] == {"extract_1d": {"smoothing_length": 5}}
    assert work.make("spec3") == {}
    over = json.dumps({"extract_1d": {"smoothing_length": 7}})
    assert "gather_source" not in work.make("spec3", spec3=over)
    # Snakemake takes numbers within settings of the command line for text; the steps do not.
    assert found(work)["steps"] == {"extract_1d": {"smoothing_length": "7"}}
    asdf.AsdfFile({**step, "parameters": {"smoothing_len": 5}}).write_to(path)
    result = work.run("spec3")
    assert "spec3: extract_1d: has no parameter 'smoothing_len' (did you mean" in result.text
    asdf.AsdfFile({**step, "class": "jwst.jump.JumpStep", "parameters": {}}).write_to(path)
    result = work.run("spec3")
    assert f"{path}: has parameters of jwst.jump.JumpStep, which is not run on" in result.text
    path.write_text("hello")
    result = work.run("spec3")
    assert f"references: {path}: is not a file of parameters (" in result.text
    result = work.run("spec3", spec3_parameters="no.asdf")
    assert "spec3_parameters: 'no.asdf' does not exist; correct the setting" in result.text


def test_files_that_parameters_name(work: Workflow, tmp_path: Path, crds: Crds):
    crds.add(9998, {}, width=7)
    (aperture,) = (crds.root / "references").rglob("*extract1d*.json")
    own = tmp_path / "own.json"
    own.write_bytes(aperture.read_bytes())
    work.config |= {"offline": True}
    steps = json.dumps({"extract_1d": {"override_extract1d": str(own)}})
    work.make(SPECTRUM, spec3=steps)
    assert work.make(SPECTRUM, spec3=steps) == {}
    own.write_bytes(own.read_bytes().replace(b'"extract_width": 7', b'"extract_width": 3'))
    assert work.make(SPECTRUM, spec3=steps)["extract_spectrum"] == 1
    with datamodels.open(work.folder / SPECTRUM) as spectrum:
        assert set(spectrum.spec[0].spec_table["NPIXELS"].tolist()) <= {0.0, 3.0}
    own.unlink()
    result = work.run(SPECTRUM, spec3=steps)
    assert f"spec3: extract_1d: override_extract1d: '{own}' is not a file; correct" in result.text


def test_files_that_files_of_parameters_name(tmp_path: Path):
    """Rules look at their sizes and times."""
    folder = tmp_path / ("long name " * 12)
    folder.mkdir()
    names = ("a 1.json", "b.json", "c.json")
    one, two, three = (str(folder / name) for name in names)
    for path in (one, two, three):
        Path(path).touch()
    steps = [
        {"name": "extract_1d", "parameters": {"override_extract1d": one, "override_psf": "N/A"}}
    ]
    asdf.AsdfFile({"name": "Spec3Pipeline", "steps": steps}).write_to(tmp_path / "a.asdf")
    (tmp_path / "b.cfg").write_text(
        f"[steps]\n[[extract_1d]]\noverride_apcorr = '{two}' # our own\n"
    )
    (tmp_path / "c.asdf").write_text("#ASDF 1.0.0\n[")
    settings = {"extract_1d": {"override_psf": three, "override_apcorr": "gone", "skip": three}}
    assert override_files(settings, None) == [three]
    assert override_files(settings, tmp_path / "a.asdf") == [one, three]
    assert override_files({}, tmp_path / "b.cfg") == [two]
    assert override_files({}, tmp_path / "c.asdf") == []


def test_parameters_of_a_context_that_skip_a_step(work: Workflow, crds: Crds):
    work.config["crds_context"] = crds.add(9998, {"resample_spec": {"skip": True}})
    result = work.run("spec3")
    assert result.status == 1
    assert "the steps wrote no jw10006-o010_s00001_nirspec_f170lp-g235m_s2d.fits" in result.text
    log = "logs/extract_spectrum/jw10006-o010_s00001_nirspec_f170lp-g235m.log"
    assert result.text.endswith(f"skip it; see {log}\n")
    assert list((work.folder / "results" / "spec3").glob("*.fits")) == []


def test_exposures_of_another_date_than_references_were_looked_up_for(work: Workflow, crds: Crds):
    work.config["crds_context"] = crds.add(9998, {}, later="2030-01-01 00:00:00")
    work.make(SPECTRUM)
    # The cache has what was looked up, no more.
    (later,) = (crds.root / "references").rglob("*extract1d_9999.json")
    content = later.read_bytes()
    later.unlink()
    (exposure,) = Path(work.config["exposures"]).glob("*_cal.fits")
    with datamodels.open(exposure) as model:
        model.meta.observation.date = "2031-01-01"
        model.save(exposure)
    result = work.run(SPECTRUM)
    assert result.status == 1
    assert f"{later}: is not in the cache of CRDS, whose server cannot be reached" in result.text
    assert f"'crds sync --files {later.name}' fetches it" in result.text
    later.write_bytes(content)
    assert work.make(SPECTRUM) == {"extract_spectrum": 1}
    with datamodels.open(work.folder / SPECTRUM) as spectrum:
        assert spectrum.meta.ref_file.extract1d.name == f"crds://{later.name}"
