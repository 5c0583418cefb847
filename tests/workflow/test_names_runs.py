"""Products of associations whose names do not follow the archive's syntax."""

import json
from pathlib import Path

import pytest
from snake import Workflow

from exp_to_source.simulate.exposures import Simulation, simulate


def rename(path: Path, name: str) -> None:
    """Give the product of an association another name."""
    content = json.loads(path.read_text())
    content["products"][0]["name"] = name
    path.write_text(json.dumps(content))


def associate(folder: Path, name: str, **options: object) -> Path:
    """Simulate exposures, and an association of them with a name."""
    simulate(Simulation(shape=(4, 8), association=True, **options), folder)
    (path,) = folder.glob("*_asn.json")
    rename(path, name)
    return path


@pytest.fixture
def work(tmp_path: Path) -> Workflow:
    """An association of MOS without a place for the source, one of WFSS with such a place."""
    mos = {"exposures": 2, "source_ids": (60, 61), "version": "3.0.0"}
    wfss = {"mode": "niriss-wfss", "observation": 11, "exposures": 1, "source_ids": (7, 61)}
    associate(tmp_path / "mos", "my_targets", **mos)
    associate(tmp_path / "wfss", "My.Run-{source_id}", **wfss)
    return Workflow(tmp_path / "work", {"associations": f"{tmp_path}/*/*_asn.json"})


NAMES = ["My.Run-s00007", "My.Run-s00061", "my_targets_s000000060", "my_targets_s000000061"]


def test_all_targets_work_with_any_names(work: Workflow):
    assert work.make("verify")["verify_products"] == 1
    assert [row["product"] for row in work.sources] == NAMES
    assert list(work.products) == [f"{name}_cal.fits" for name in NAMES]
    assert {row["family"]: row["exposure_type"] for row in work.sources} == {
        "My.Run": "NIS_WFSS", "my_targets": "NRS_MSASPEC",
    }  # fmt: skip
    assert {row["class"] for row in work.sources} == {"s"}
    assert work.make("report")["measure_products"] == 1
    page = (work.folder / "results" / "report.html").read_text()
    assert all(name in page for name in NAMES)
    picture = "results/quicklook/My.Run-s00061.png"
    assert work.make(picture) == {"draw_quicklook": 1}
    assert work.make("verify", "report") == {"verify": 1, "write_report": 1, "report": 1}


def test_products_are_made_by_their_names_and_chosen(work: Workflow):
    product = "results/products/my_targets_s000000061_cal.fits"
    assert work.make(product)["gather_source"] == 1
    assert work.make(sources=61)["gather_source"] == 1
    assert [row["product"] for row in work.sources] == [NAMES[1], NAMES[3]]
    assert work.make(sources="my_targets_s000000060_cal.fits")["gather_source"] == 1
    missing = work.run("results/products/my_targets_s000000062_cal.fits")
    assert "my_targets_s000000062: the exposures have no such source" in missing.text
    hint = work.run("my_targets_s000000061_cal.fits").text
    assert "the right command is: snakemake" in hint
    assert product in hint


def test_only_products_of_sources_that_are_gone_are_moved_away(work: Workflow, tmp_path: Path):
    work.make()
    products = work.folder / "results" / "products"
    own = products / "my_targets_s000000099_cal.fits"
    own.write_bytes(b"a file of the user")
    rename(next((tmp_path / "mos").glob("*_asn.json")), "MOS.{source_id}")
    assert work.make() == {"list_sources": 1, "gather_source": 2}
    stale = work.folder / "results" / "stale"
    assert sorted(path.name for path in stale.iterdir()) == [f"{n}_cal.fits" for n in NAMES[2:]]
    assert own.exists()
    assert (products / "MOS.s000000061_cal.fits").exists()


@pytest.mark.parametrize("name", ["my_run", "MY_run_{source_id}"])
def test_names_that_are_one_file_somewhere_are_refused(name: str, tmp_path: Path):
    """Upper and lower case are the same for some file systems."""
    options = {"exposures": 1, "source_ids": (61,)}
    associate(tmp_path / "one", "my_run", **options)
    associate(tmp_path / "two", name, observation=11, **options)
    work = Workflow(tmp_path / "work", {"associations": f"{tmp_path}/*/*_asn.json"})
    result = work.run()
    assert result.status == 1
    assert "one file name, two groups: my_run_s00061_cal.fits" in result.text
    assert "jw10006010001_03101_00001_nrs1" in result.text
    assert "jw10006011001_03101_00001_nrs1" in result.text


def test_names_need_no_slits(tmp_path: Path):
    """Fixed slits whose template has no {slit_name}: a source is one product anyway."""
    options = {"mode": "fixed-slit", "fixed_slits": ("S200A1", "S200A2"), "exposures": 1}
    path = associate(tmp_path / "fs", "my_targets", **options)
    work = Workflow(tmp_path / "work", {"associations": path})
    work.make("verify")
    assert len(work.products) == len({row["source_id"] for row in work.sources}) > 1
