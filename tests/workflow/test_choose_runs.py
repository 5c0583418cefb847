"""Runs of chosen sources: products are kept, and only what changed is rerun."""

import shutil
from pathlib import Path

import pytest
from astropy.io import fits
from astropy.table import Table
from snake import Workflow, change_slit

from exp_to_source.simulate.exposures import Simulation, simulate

SHAPE = (4, 8)


@pytest.fixture(scope="module")
def wfss(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with WFSS exposures of twelve sources, and products of three."""
    folder = tmp_path_factory.mktemp("wfss")
    simulate(Simulation(mode="niriss-wfss", exposures=2, sources=12, shape=SHAPE), folder / "data")
    jobs = Workflow(folder, {"exposures": "data"}).make(sources="1,3,12")
    assert jobs == {"index_exposure": 2, "list_sources": 1, "gather_source": 3}
    return folder


@pytest.fixture
def work(wfss: Path, tmp_path: Path) -> Workflow:
    return Workflow(shutil.copytree(wfss, tmp_path / "work"), {"exposures": "data"})


def ids(work: Workflow) -> list[int]:
    return [int(row["source_id"]) for row in work.sources]


def rename_source(work: Workflow, old: int, new: int) -> None:
    """Give a source another identifier in all exposures."""
    for path in (work.folder / "data").glob("*.fits"):
        with fits.open(path, mode="update") as hdus:
            for hdu in hdus:
                if hdu.name == "SCI" and hdu.header["SOURCEID"] == old:
                    hdu.header["SOURCEID"] = new


def test_widening_and_narrowing(work: Workflow):
    first = work.products
    assert ids(work) == [1, 3, 12]
    assert work.make(sources="[1,2,3-4]") == {"list_sources": 1, "gather_source": 2}
    assert ids(work) == [1, 2, 3, 4]
    # No product is lost.
    assert len(work.products) == 5
    assert not (work.folder / "results" / "stale").exists()
    assert work.make(exclude="1-3") == {"list_sources": 1, "gather_source": 7}
    rows = (work.folder / "results" / "left_out.tsv").read_text().splitlines()
    assert [row.rpartition("\t")[2] for row in rows] == ["reason", *["excluded by 1-3"] * 3]
    assert work.make() == {"list_sources": 1}
    assert len(work.sources) == len(work.products) == 12
    assert (work.folder / "results" / "left_out.tsv").read_text().count("\n") == 1
    after = work.products
    assert {name: after[name] for name in first} == first


def test_what_changed_while_it_was_not_chosen_is_rerun(work: Workflow):
    path = sorted((work.folder / "data").glob("*.fits"))[0]
    for source_id in (1, 3):
        change_slit(path, source_id)
    once = {"list_sources": 1, "gather_source": 1}
    assert work.make(sources=1) == {"index_exposure": 1} | once
    assert work.make(sources="[1,3,12]") == once
    assert not (work.folder / "results" / "stale").exists()


def test_products_of_lost_sources_are_moved_away_also_when_others_are_chosen(work: Workflow):
    rename_source(work, 12, 13)
    assert work.make(sources=1)["index_exposure"] == 2
    (gone,) = (work.folder / "results" / "stale").iterdir()
    assert "_s00012_" in gone.name
    assert len(work.products) == 2


def test_catalog_of_a_run(work: Workflow):
    Table({"label": [2, 3, 77]}).write(work.folder / "mine.ecsv")
    assert work.make(catalog="mine.ecsv") == {"list_sources": 1, "gather_source": 1}
    assert ids(work) == [2, 3]
    assert "1 of its 3 ids are no sources of these exposures: 77" in work.log("list_sources")
    Table({"label": [2]}).write(work.folder / "mine.ecsv", overwrite=True)
    jobs = work.make("verify", catalog="mine.ecsv")
    assert (jobs["list_sources"], jobs["gather_source"], jobs["verify_products"]) == (1, 0, 1)


def test_product_that_is_not_chosen_and_a_catalog_that_is_not_there(work: Workflow):
    name = work.sources[0]["product"]
    result = work.run(f"results/products/{name}_cal.fits", exclude=1)
    assert result.status == 1
    assert f"{name}: excluded by 1; to make it, change the settings 'sources'" in result.text
    before = work.products, work.sources
    result = work.run(catalog="no.csv")
    assert result.status == 1
    assert "exp-to-source: catalog: 'no.csv' does not exist; correct the setting" in result.text
    assert "Traceback" not in result.text
    assert (work.products, work.sources) == before


def test_listing_that_failed_leaves_the_list_of_an_earlier_run(work: Workflow):
    """It is repeated by the next run, whatever its choice."""
    before = work.sources
    for _ in range(2):
        result = work.run(sources=99)
        assert result.status == 1
        *_, count, reason = result.text.splitlines()
        folder = work.folder / "results" / "products"
        assert count == f"no sources were listed; 3 products of earlier runs in {folder}"
        assert reason.startswith("exp-to-source list: sources: no source matches '99'; near misses")
        assert work.sources == before
    assert work.make(sources="1,3,12") == {"list_sources": 1}
    # By the same choice: the exposures lose a source, and have it again.
    rename_source(work, 12, 13)
    result = work.run(sources="1,3,12")
    assert (result.status, result.jobs) == (1, {"index_exposure": 2})
    assert work.sources == before
    rename_source(work, 13, 12)
    assert work.make(sources="1,3,12") == {"index_exposure": 2, "list_sources": 1}
