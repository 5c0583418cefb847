"""Runs of chosen sources: what is made is kept, what changed is made again."""

import shutil
from pathlib import Path

import pytest
from astropy.io import fits
from astropy.table import Table
from snake import Workflow

from exp_to_source.simulate.exposures import Simulation, simulate

SHAPE = (4, 8)


@pytest.fixture(scope="module")
def wfss(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with WFSS exposures of twelve sources, and its indices."""
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


def test_widening_and_narrowing(work: Workflow):
    first = work.products
    assert ids(work) == [1, 3, 12]
    assert work.make(sources="[1,2,3-4]") == {"list_sources": 1, "gather_source": 2}
    assert ids(work) == [1, 2, 3, 4]
    # Nothing that was made is lost or made again.
    assert len(work.products) == 5
    assert not (work.folder / "results" / "stale").exists()
    assert work.make(sources="12") == {"list_sources": 1}
    assert work.make(exclude="1-3") == {"list_sources": 1, "gather_source": 7}
    rows = (work.folder / "results" / "left_out.tsv").read_text().splitlines()
    assert [row.rpartition("\t")[2] for row in rows] == ["reason", *["excluded by 1-3"] * 3]
    assert work.make() == {"list_sources": 1}
    assert len(work.sources) == len(work.products) == 12
    assert not (work.folder / "results" / "left_out.tsv").exists()
    after = work.products
    assert {name: after[name] for name in first} == first


def test_what_changed_while_it_was_not_chosen_is_made_again(work: Workflow):
    work.make(sources=1)
    path = sorted((work.folder / "data").glob("*.fits"))[0]
    with fits.open(path, mode="update") as hdus:
        for hdu in hdus:
            if hdu.name == "SCI" and hdu.header["SOURCEID"] in (1, 3):
                hdu.data[0, 0] = 42
    once = {"list_sources": 1, "gather_source": 1}
    assert work.make(sources=1) == {"index_exposure": 1} | once
    assert work.make(sources="[1,3,12]") == once
    assert not (work.folder / "results" / "stale").exists()


def test_sources_that_are_gone_are_moved_away_also_when_others_are_chosen(work: Workflow):
    work.make(sources="[1,3]")
    for path in (work.folder / "data").glob("*.fits"):
        with fits.open(path, mode="update") as hdus:
            for hdu in hdus:
                if hdu.name == "SCI" and hdu.header["SOURCEID"] == 12:
                    hdu.header["SOURCEID"] = 13
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
    assert work.make(catalog="mine.ecsv") == {"list_sources": 1}
    assert work.make(catalog="mine.ecsv") == {}
    assert work.make("verify", catalog="mine.ecsv", min_exposures=2)["verify_products"] == 1


def test_product_that_is_not_chosen_is_told_by_name(work: Workflow):
    name = work.sources[0]["product"]
    result = work.run(f"results/products/{name}_cal.fits", exclude=1)
    assert result.status == 1
    assert f"{name}: excluded by 1; to make it, change the settings 'sources'" in result.text


def test_bad_choices_end_in_a_sentence_and_lose_nothing(work: Workflow):
    before, table = work.products, work.sources
    for config, sentence in {
        ("sources", 99): "sources: no source matches '99'; near misses: 12, 11, 10",
        ("catalog", "no.csv"): "exp_to_source: catalog: 'no.csv' is no file; bring it back, or",
        ("min_exposures", 0): "configuration: min_exposures cannot be 0. Sources that fewer",
        ("sources", "1,,2"): "exp_to_source: sources, exclude: '' cannot be an item",
    }.items():
        result = work.run(**dict([config]))
        assert result.status == 1
        assert sentence in result.text
        assert "Traceback" not in result.text
        assert (work.products, work.sources) == (before, table)
    assert work.make(sources="1,3,12") == {"list_sources": 1}
    assert work.make(sources="1,3,12") == {}


def test_list_that_could_not_be_made_anew_is_none_of_this_run(work: Workflow):
    """The old one is brought back, but is an answer to nothing."""
    before = work.sources
    result = work.run(sources=99)
    *_, there, why = result.text.splitlines()
    folder = work.folder / "results" / "products"
    assert there == f"no sources were listed; 3 products of earlier runs stay in {folder}"
    assert why.startswith("list_sources: sources: no source matches '99'")
    assert work.sources == before
    assert work.run(sources=99).jobs == {}
    # Of the same request: the exposures lose a source, and have it again.
    work.make(sources="1,3,12")
    exposures = {path: path.read_bytes() for path in (work.folder / "data").glob("*.fits")}
    for path in exposures:
        with fits.open(path, mode="update") as hdus:
            for hdu in hdus:
                if hdu.name == "SCI" and hdu.header["SOURCEID"] == 12:
                    hdu.header["SOURCEID"] = 13
    result = work.run(sources="1,3,12")
    assert (result.status, result.jobs) == (1, {"index_exposure": 2})
    assert work.sources == before
    for path, content in exposures.items():
        path.write_bytes(content)
    assert work.make(sources="1,3,12") == {"index_exposure": 2, "list_sources": 1}
    assert work.make(sources="1,3,12") == {}
