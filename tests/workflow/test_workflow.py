"""The workflow, run as its users run it."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from astropy.io import fits
from eras import write_legacy
from snake import ROOT, Workflow
from stdatamodels.jwst import datamodels

from exp_to_source.cli import main
from exp_to_source.run.configuration import SCHEMA
from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.tables import read_table

SHAPE = (4, 8)


@pytest.fixture(scope="module")
def mos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MOS exposures with asymmetric overlap, background and virtual slits, and an association."""
    folder = tmp_path_factory.mktemp("mos")
    what = {"overlap": "partial", "background": 1, "virtual": 1, "association": True}
    simulate(Simulation(shape=SHAPE, absent=(("barshadow", 2),), **what), folder)
    return folder


def open_product(path: Path) -> list[tuple[str, str]]:
    """Open a product, call every WCS; name each entry's exposure and slit."""
    with datamodels.open(path) as product:
        assert isinstance(product, datamodels.MultiExposureModel)
        for entry in product.exposures:
            assert len(entry.meta.wcs(1.0, 1.0)) >= 2
        return [(entry.meta.filename, entry.name) for entry in product.exposures]


def test_demo_makes_the_example_of_the_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    workflow = Workflow(tmp_path, {"demo": True})
    jobs = workflow.make()
    assert jobs == {
        "simulate_exposures": 1,
        "index_exposure": 3,
        "list_sources": 1,
        "gather_source": 5,
    }
    name = "jw10006-o010_s00061_nirspec_f170lp-g235m"
    assert f"{name}_cal.fits" in workflow.products
    assert len(workflow.products) == 5
    entries = open_product(tmp_path / "results" / "products" / f"{name}_cal.fits")
    assert [file[20:25] for file, _ in entries] == ["00001", "00002", "00003"]
    monkeypatch.chdir(tmp_path)
    main(["sources", "results/sources.tsv"])
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 7
    assert shown[3].split()[:5] == [name, "61", "10006_61", "source", "3"]


def test_mos_sources_of_every_class(mos: Path, tmp_path: Path):
    """One product by its name, then all."""
    workflow = Workflow(tmp_path, {"exposures": f"{mos}/*_cal.fits"})
    target = "results/products/jw10006-o010_s00061_nirspec_f170lp-g235m_cal.fits"
    assert workflow.make(target)["gather_source"] == 1
    assert list(workflow.products) == [Path(target).name]
    assert workflow.make().keys() == {"gather_source"}
    classes = {row["class"]: row for row in workflow.sources}
    assert set(classes) == {"s", "b", "v"}
    assert "BKG" in classes["b"]["source_name"]
    assert classes["v"]["source_id"].startswith("-")
    exposures = {row["product"]: int(row["exposures"]) for row in workflow.sources}
    assert sorted(set(exposures.values())) == [1, 2, 3]
    for name, count in exposures.items():
        path = tmp_path / "results" / "products" / f"{name}_cal.fits"
        files = [file for file, _ in open_product(path)]
        assert len(files) == count
        history = fits.getheader(path)["HISTORY"]
        assert [line for line in history if line.endswith("_cal.fits")] == files


def test_association_names_products_and_leaves_background_alone(mos: Path, tmp_path: Path):
    association = json.loads(next(mos.glob("*_asn.json")).read_text())
    members = association["products"][0]["members"]
    members[1]["exptype"] = "background"
    path = tmp_path / "jw10006-o010_20260101t000000_spec3_00001_asn.json"
    for member in members:
        member["expname"] = str(mos / member["expname"])
    members.append({"expname": "gone_cal.fits", "exptype": "target_acquisition"})
    members.append({"expname": "other_cal.fits", "exptype": "science "})
    path.write_text(json.dumps(association))
    workflow = Workflow(tmp_path / "work", {"associations": path})
    result = workflow.run()
    assert result.status == 0, result.text
    assert len(list((workflow.folder / "results" / "index").iterdir())) == 2
    assert f"  warning: {path}: exptype 'science ' is not known" in result.text
    log = workflow.log("list_sources")
    assert "its 1 background and 1 target_acquisition members are not regrouped" in log
    assert "the setting 'prepare' subtracts the background" in log
    name = "jw10006-o010_s00061_nirspec_f170lp-g235m_cal.fits"
    with datamodels.open(workflow.folder / "results" / "products" / name) as product:
        assert product.meta.asn.table_name == path.name
        assert {entry.meta.asn.table_name for entry in product.exposures} == {path.name}


#: Products of other modes, by the observations that the test gives them.
MODES = {
    "fixed-slit": "jw10006-o011_s00001_nirspec_f290lp-g395h-s200a1-allslits",
    "nircam-wfss": "jw10006-o012_s00001_nircam_f356w-grismr",
    "niriss-wfss": "jw10006-o013_s00001_niriss_f140m-gr150c",
    "miri-wfss": "jw10006-o014_s00001_miri_p750l",
}


def test_modes_side_by_side(mos: Path, tmp_path: Path):
    data = tmp_path / "data"
    what = {"exposures": 1, "sources": 1, "shape": SHAPE, "orders": (1, 2)}
    for number, mode in enumerate(MODES, 11):
        simulate(Simulation(mode=mode, observation=number, **what), data)
    newer = Simulation(observation=15, exposures=1, shape=SHAPE, version="1.20.0")
    simulate(newer, data)
    workflow = Workflow(tmp_path / "work", {"exposures": f"['{mos}','{data}']"})
    workflow.make()
    names = {
        *MODES.values(),
        "jw10006-o010_s00061_nirspec_f170lp-g235m",
        "jw10006-o015_s000000061_nirspec_f170lp-g235m",
    }
    assert {f"{name}_cal.fits" for name in names} <= workflow.products.keys()
    for row in workflow.sources:
        path = workflow.folder / "results" / "products" / f"{row['product']}_cal.fits"
        with datamodels.open(path) as product:
            assert len(product.exposures) == int(row["slits"])
            files = {entry.meta.filename for entry in product.exposures}
            assert len(files) == int(row["exposures"])


def test_conflict_stops_before_any_product(mos: Path, tmp_path: Path):
    data = shutil.copytree(mos, tmp_path / "data")
    victim = sorted(data.glob("*_cal.fits"))[0]
    with fits.open(victim, mode="update") as hdus:
        slit = next(h for h in hdus[1:] if h.header.get("SOURCEID") == 62)
        slit.header["SRCNAME"] = "another"
    workflow = Workflow(tmp_path / "work", {"exposures": data})
    result = workflow.run()
    assert result.status == 1
    assert "one id, 2 names" in result.text
    assert victim.stem in result.text
    assert "'another'" in result.text and "'group_by: source_id'" in result.text
    assert workflow.products == {}


def test_bad_configuration_is_one_sentence(tmp_path: Path):
    result = Workflow(tmp_path, {"exposure": "x"}).run()
    assert result.status == 1
    sentence = "configuration: unknown key 'exposure' (did you mean 'exposures'?)"
    assert f"exp-to-source: {sentence}" in result.text
    assert "Traceback" not in result.text
    assert not (tmp_path / "results").exists()


def test_shipped_configuration_and_schema_agree():
    schema = yaml.safe_load(SCHEMA.read_text())
    shipped = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    assert shipped == {key: about["default"] for key, about in schema["properties"].items()}
    assert all(about["description"] for about in schema["properties"].values())
    readme = (ROOT / "config/README.md").read_text()
    assert all(f"`{key}`" in readme for key in schema["properties"])


def test_legacy_exposures(tmp_path: Path):
    """They are regrouped, and verified as far as can be; numbers of slits are a setting."""
    paths = write_legacy(tmp_path / "data")
    workflow = Workflow(tmp_path, {"exposures": "data"})
    assert workflow.run("verify").status == 1
    assert [row["exposures"] for row in workflow.sources] == ["3"] * 5
    for row in workflow.sources:
        slits = []
        for path in paths:
            with fits.open(path) as hdus:
                own = [h for h in hdus if h.header.get("SLTNAME") == row["slit_name"]]
                version = own[0].ver
                slits.append([h.data.tobytes() for h in hdus[1:-1] if h.ver == version])
        product = tmp_path / "results" / "products" / f"{row['product']}_cal.fits"
        with fits.open(product) as hdus:
            found = [[h.data.tobytes() for h in hdus[1:-1] if h.ver == k] for k in (1, 2, 3)]
        assert found == slits
    verdicts = read_table(str(tmp_path / "results" / "verify.tsv"))
    assert {row["status"] for row in verdicts} == {"unproved"}
    for row in verdicts:
        assert re.search(
            "tree of its exposures, but cannot be opened .*; jw.* cannot be", row["verdict"]
        )
    sentence = "could not be proved to open, as exposures of theirs do not open either"
    assert sentence in workflow.log("verify")
    # Only the numbers of two slits are others in the table.
    assert workflow.make(fixed_slit_ids="table") == {"list_sources": 1, "gather_source": 2}
    by_slit = {row["slit_name"]: row["product"] for row in workflow.sources}
    assert by_slit["S400A1"] == "jw10006-o010_s00003_nirspec_f170lp-g235m-s400a1"
    assert by_slit["S1600A1"] == "jw10006-o010_s00004_nirspec_f170lp-g235m-s1600a1"
