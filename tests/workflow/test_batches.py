"""Products in parts, with Snakemake's --batch: those of a list that is there."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from snake import Workflow, change_slit

from exp_to_source.simulate.exposures import Simulation, simulate

pytestmark = pytest.mark.usefixtures("fixed_date")

LIST = "results/sources.tsv"
REFUSED = "exp_to_source: --batch divides the products of a source list"
QUARTERS = [f"--batch=all={number}/4" for number in (1, 2, 3, 4)]
FIRST, LAST = HALVES = [f"--batch=all={number}/2" for number in (1, 2)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two listed exposures of five sources, and one more set aside."""
    folder = tmp_path_factory.mktemp("batches") / "work"
    simulate(Simulation(exposures=3, sources=5, shape=(4, 8)), folder / "data")
    (folder / "aside").mkdir()
    last = sorted((folder / "data").iterdir())[-1]
    last.rename(folder / "aside" / last.name)
    Workflow(folder, {"exposures": "data"}).make(LIST)
    return folder


@pytest.fixture
def listed(finished: Path, tmp_path: Path) -> Workflow:
    """A copy of it, times and all."""
    return Workflow(shutil.copytree(finished, tmp_path / "work"), {"exposures": "data"})


@pytest.fixture
def work(listed: Workflow) -> Workflow:
    """The same before the sources are listed."""
    shutil.rmtree(listed.folder / "results")
    shutil.rmtree(listed.folder / ".snakemake")
    return listed


def refused(work: Workflow, *batch: str, **config: object) -> bool:
    result = work.run(*batch, **config)
    return result.status == 1 and result.text.splitlines()[-1].startswith(REFUSED)


def test_batches_make_all_products_between_them(listed: Workflow, tmp_path: Path):
    jobs: Counter[str] = Counter()
    numbers = []
    for batch in QUARTERS:
        jobs += listed.make(batch)
        numbers.append(len(listed.products))
    assert jobs["gather_source"] == 5 and jobs["list_sources"] == 0
    assert 0 < numbers[0] < numbers[1] < numbers[2] <= 5
    assert listed.make() == {}
    (tmp_path / "whole").mkdir()
    shutil.copytree(listed.folder / "data", tmp_path / "whole" / "data")
    whole = Workflow(tmp_path / "whole", {"exposures": "data"})
    whole.make()
    assert whole.products == listed.products


def test_without_a_list_there_is_nothing_to_divide(work: Workflow):
    assert all(refused(work, batch) for batch in HALVES)
    assert not (work.folder / "results" / "products").exists()


def test_a_list_of_other_exposures_or_settings_is_not_divided(listed: Workflow):
    assert refused(listed, FIRST, sources="61")
    index = next((listed.folder / "results" / "index").iterdir())
    index.rename(listed.folder / index.name)
    assert refused(listed, FIRST)
    (listed.folder / index.name).rename(index)
    assert listed.make(FIRST)["gather_source"] > 0
    shutil.copy(next((listed.folder / "aside").iterdir()), listed.folder / "data")
    assert refused(listed, LAST)
    listed.make(LIST)
    # Those that were made have an entry more now.
    made = sum((listed.make(batch) for batch in HALVES), Counter())
    assert made["gather_source"] == 5
    assert listed.make() == {}


def test_a_damaged_list_is_told_in_a_sentence(listed: Workflow):
    (listed.folder / LIST).write_text("source_id\n1\n")
    result = listed.run(FIRST)
    assert result.status == 1
    assert "not a source list any more; delete it and run again" in result.text
    assert "Traceback" not in result.text


@pytest.mark.parametrize("newer", [True, False])
def test_an_exposure_that_changes_between_batches(listed: Workflow, newer: bool):
    listed.make(FIRST)
    before = listed.products
    path = sorted((listed.folder / "data").iterdir())[0]
    for row in listed.sources:
        change_slit(path, int(row["source_id"]))
    if not newer:
        os.utime(path, (1e9, 1e9))
    # Batches that would make new products of it, and one whose products are there.
    assert all(refused(listed, batch) for batch in HALVES)
    assert listed.products == before
    listed.make(LIST)
    jobs = sum((listed.make(batch) for batch in HALVES), Counter())
    assert jobs["gather_source"] == 5
    assert listed.make() == {}
    assert all(listed.products[name] != content for name, content in before.items())


def test_touched_exposures_are_indexed_again_on_demand(listed: Workflow):
    os.utime(sorted((listed.folder / "data").iterdir())[0])
    assert listed.make(LIST) == {}
    assert refused(listed, FIRST)
    listed.make("--forcerun=index_exposure", LIST)
    assert listed.make(FIRST)["gather_source"] > 0


@pytest.mark.parametrize("way", ["--bat", "profile"])
def test_however_it_is_said(work: Workflow, way: str):
    if way == "profile":
        (work.folder / "own").mkdir()
        (work.folder / "own" / "profile.yaml").write_text("batch: all=1/2\ncores: 2\n")
        options = [f"--profile={work.folder / 'own'}"]
    else:
        options = ["--bat=all=1/2"]
    assert refused(work, *options)
    work.make(LIST)
    assert work.make(*options)["gather_source"] > 0
    assert 0 < len(work.products) < 5


def test_pictures_are_divided_too(listed: Workflow):
    assert listed.run("quicklook", "--batch=quicklook=1/2").status == 0
    pictures = {path.stem for path in (listed.folder / "results" / "quicklook").iterdir()}
    assert 0 < len(pictures) < 5
    assert {name.removesuffix("_cal.fits") for name in listed.products} == pictures
    assert listed.run("quicklook", "--batch=quicklook=2/2").status == 0
    assert len(listed.products) == 5
