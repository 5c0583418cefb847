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


def associate(folder: Path, name: str, **options: object) -> None:
    """Simulate exposures, and an association of them with a name."""
    simulate(Simulation(shape=(4, 8), association=True, **options), folder)
    (path,) = folder.glob("*_asn.json")
    rename(path, name)


NAMES = ["My.Run-s00007", "My.Run-s00061", "my_targets_s000000060", "my_targets_s000000061"]
PICTURE = "results/quicklook/My.Run-s00061.png"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """An association of MOS without a place for the source, one of WFSS with such a place."""
    folder = tmp_path_factory.mktemp("names") / "work"
    mos = {"exposures": 2, "source_ids": (60, 61), "version": "3.0.0"}
    wfss = {"mode": "niriss-wfss", "observation": 11, "exposures": 1, "source_ids": (7, 61)}
    associate(folder / "mos", "my_targets", **mos)
    associate(folder / "wfss", "My.Run-{source_id}", **wfss)
    work = Workflow(folder, {"associations": "*/*_asn.json"})
    jobs = work.make("verify", "report", PICTURE)
    assert jobs["verify_products"] == jobs["measure_products"] == jobs["draw_quicklook"] == 1
    return work


def test_all_targets_work_with_any_names(finished: Workflow):
    assert [row["product"] for row in finished.sources] == NAMES
    assert list(finished.products) == [f"{name}_cal.fits" for name in NAMES]
    assert {row["family"]: row["exposure_type"] for row in finished.sources} == {
        "My.Run": "NIS_WFSS", "my_targets": "NRS_MSASPEC",
    }  # fmt: skip
    assert {row["class"] for row in finished.sources} == {"s"}
    assert (finished.folder / PICTURE).exists()
    page = (finished.folder / "results" / "report.html").read_text()
    assert all(name in page for name in NAMES)


def test_products_are_made_by_their_names_and_chosen(work: Workflow):
    product = f"results/products/{NAMES[3]}_cal.fits"
    (work.folder / product).unlink()
    assert work.make(product, sources=61) == {"list_sources": 1, "gather_source": 1}
    assert [row["product"] for row in work.sources] == [NAMES[1], NAMES[3]]
    missing = work.run(product.replace("61", "62"), sources=f"{NAMES[2]}_cal.fits")
    assert "my_targets_s000000062: the exposures have no such source" in missing.text
    assert [row["product"] for row in work.sources] == [NAMES[2]]


def test_only_products_of_sources_that_are_gone_are_moved_away(work: Workflow):
    products = work.folder / "results" / "products"
    own = products / "my_targets_s000000099_cal.fits"
    own.write_bytes(b"a file of the user")
    rename(next((work.folder / "mos").glob("*_asn.json")), "MOS.{source_id}")
    assert work.make() == {"list_sources": 1, "gather_source": 2}
    stale = work.folder / "results" / "stale"
    names = {path.name for path in stale.glob("*_cal.fits")}
    assert names == {f"{name}_cal.fits" for name in NAMES[2:]}
    assert own.exists()
    assert (products / "MOS.s000000061_cal.fits").exists()
