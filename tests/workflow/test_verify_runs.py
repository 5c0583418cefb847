"""Runs with verification: they fail and name damaged products."""

import csv
import re
import shutil
from pathlib import Path

import pytest
from astropy.io import fits
from eras import write_legacy
from snake import Workflow
from tiny import edit_tree

from exp_to_source.simulate.exposures import Simulation, simulate


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A verified run on two exposures, the headers of one edited after it was written."""
    folder = tmp_path_factory.mktemp("exposures")
    paths = simulate(Simulation(exposures=2, sources=2, shape=(4, 8)), folder)
    with fits.open(paths[1], mode="update") as hdus:
        hdus["PRIMARY"].header["TITLE"] = "Edited"
        hdus["SCI", 1].header["SRCRA"] = 53.25
        del hdus["SCI", 2].header["SRCDEC"]
    run = Workflow(tmp_path_factory.mktemp("run"), {"exposures": f"{folder}/*_cal.fits"})
    assert run.make("verify") == {
        "index_exposure": 2,
        "list_sources": 1,
        "gather_source": 2,
        "fingerprint_exposure": 2,
        "verify_products": 1,
        "list_verdicts": 1,
        "verify": 1,
    }
    return run


def table(folder: Path, column: str = "verdict") -> dict[str, str]:
    """Verdicts by product, or another column."""
    with (folder / "results" / "verify.tsv").open(newline="") as file:
        return {row["product"]: row[column] for row in csv.DictReader(file, delimiter="\t")}


def test_sound_products(workflow: Workflow):
    verdicts = table(workflow.folder)
    assert set(verdicts) == {row["product"] for row in workflow.sources}
    assert set(verdicts.values()) == {"ok"}


def test_workflow_fails_and_names_damaged_products(workflow: Workflow, tmp_path: Path):
    copy = Workflow(shutil.copytree(workflow.folder, tmp_path / "run"), workflow.config)
    name = next(iter(copy.products))
    path = copy.folder / "results" / "products" / name
    edit_tree(path, r"slitlet_id: \d", "slitlet_id: 9")
    result = copy.run("verify")
    product = name.removesuffix("_cal.fits")
    assert result.status == 1
    assert result.jobs == {"verify_products": 1, "list_verdicts": 1}
    *_, title, verdict = result.text.splitlines()
    assert title == "exp-to-source check: 1 of 2 rows of results/verify.tsv are damaged:"
    assert re.fullmatch(rf"{product}: entry .* differs in slitlet_id.*", verdict)
    states = table(copy.folder, "status")
    assert [key for key, value in states.items() if value != "sound"] == [product]
    path.unlink()
    jobs = ("gather_source", "verify_products", "list_verdicts", "verify")
    assert copy.make("verify") == dict.fromkeys(jobs, 1)
    assert set(table(copy.folder, "status").values()) == {"sound"}


def test_association_is_named_by_products(tmp_path: Path):
    what = {"mode": "niriss-wfss", "orders": (1, 2), "association": True}
    simulate(Simulation(exposures=2, sources=2, shape=(4, 8), **what), tmp_path)
    workflow = Workflow(tmp_path / "run", {"associations": f"{tmp_path}/*_asn.json"})
    workflow.make("verify")
    assert set(table(workflow.folder).values()) == {"ok"}


def test_legacy_files_are_verified_as_far_as_can_be(tmp_path: Path):
    write_legacy(tmp_path / "data")
    workflow = Workflow(tmp_path, {"exposures": "data"})
    assert workflow.run("verify").status == 1
    assert set(table(tmp_path, "status").values()) == {"unproved"}
    for verdict in table(tmp_path).values():
        assert re.search("tree of its exposures, but cannot be opened .*; jw.* cannot be", verdict)
    assert "could not be proved to open" in workflow.log("verify")
