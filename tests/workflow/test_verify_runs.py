"""Runs with verification: they fail and name what is damaged."""

import csv
import os
import re
import shutil
import time
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


def test_products_dated_in_the_future(workflow: Workflow, tmp_path: Path):
    copy = Workflow(tmp_path / "run", workflow.config)
    shutil.copytree(workflow.folder, copy.folder)
    for path in (copy.folder / "results" / "products").iterdir():
        os.utime(path, (time.time() + 3600,) * 2)
    assert copy.make("verify", "--forcerun=verify_products")["verify_products"] == 1
    assert copy.make("verify") == {"verify": 1}


def test_workflow_fails_and_names_what_is_damaged(workflow: Workflow, tmp_path: Path):
    copy = Workflow(tmp_path / "run", workflow.config)
    shutil.copytree(workflow.folder, copy.folder)
    name = next(iter(copy.products))
    path = copy.folder / "results" / "products" / name
    edit_tree(path, r"slitlet_id: \d", "slitlet_id: 9")
    result = copy.run("verify")
    product = name.removesuffix("_cal.fits")
    assert result.status != 0
    assert result.jobs == {"verify_products": 1, "list_verdicts": 1}
    assert re.search(rf"{product}: entry .* differs in slitlet_id", result.text)
    states = table(copy.folder, "status")
    assert [key for key, value in states.items() if value != "sound"] == [product]
    again = copy.run("verify")
    assert (again.status, again.jobs) == (result.status, {})
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
    for said in table(tmp_path).values():
        assert re.search("tree of its exposures, but cannot be opened .*; jw.* cannot be", said)
    assert "could not be proved to open" in workflow.log("verify")
