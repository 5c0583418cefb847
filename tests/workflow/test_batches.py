"""Products in parts, with Snakemake's --batch: those of an existing list."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from snake import Workflow, change_slit

from exp_to_source.simulate.exposures import Simulation, simulate

LIST = "results/sources.tsv"
REFUSAL = "exp-to-source: --batch divides the products of a source list"
FIRST, LAST = HALVES = ["--bat=all=1/2", "--batch=all=2/2"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two listed exposures of five sources, and one more set aside."""
    folder = tmp_path_factory.mktemp("batches") / "work"
    paths = simulate(Simulation(exposures=3, sources=5, shape=(4, 8)), folder / "data")
    (folder / "aside").mkdir()
    paths[-1].rename(folder / "aside" / paths[-1].name)
    Workflow(folder, {"exposures": "data"}).make(LIST)
    return folder


@pytest.fixture
def listed(finished: Path, tmp_path: Path) -> Workflow:
    """A copy of it, times and all."""
    return Workflow(shutil.copytree(finished, tmp_path / "work"), {"exposures": "data"})


def is_refused(work: Workflow, *batch: str, **config: object) -> bool:
    result = work.run(*batch, **config)
    return result.status == 1 and result.text.splitlines()[-1].startswith(REFUSAL)


def test_batches_make_all_products_between_them(listed: Workflow):
    first = listed.make(FIRST)["gather_source"]
    assert 0 < first < 5
    assert listed.make(LAST) == {"gather_source": 5 - first}
    assert listed.make() == {}


def test_list_that_does_not_exist_or_is_of_others(listed: Workflow):
    assert is_refused(listed, FIRST, sources="61")
    shutil.copy(next((listed.folder / "aside").iterdir()), listed.folder / "data")
    assert is_refused(listed, LAST)
    (listed.folder / LIST).unlink()
    assert is_refused(listed, LAST)
    assert not (listed.folder / "results" / "products").exists()


def test_damaged_list_ends_in_a_sentence(listed: Workflow):
    (listed.folder / LIST).write_text("source_id\n1\n")
    result = listed.run(FIRST)
    assert result.status == 1
    assert "not a source list any more; delete it and run again" in result.text
    assert "Traceback" not in result.text


def test_exposure_that_changes_between_batches(listed: Workflow):
    listed.make(FIRST)
    before = listed.products
    path = sorted((listed.folder / "data").iterdir())[0]
    for row in listed.sources:
        change_slit(path, int(row["source_id"]))
    os.utime(path, (1e9, 1e9))
    # A batch whose products exist, and one that would make new products of it.
    assert all(is_refused(listed, batch) for batch in HALVES)
    assert listed.products == before
    listed.make(LIST)
    jobs = sum((listed.make(batch) for batch in HALVES), Counter())
    assert jobs["gather_source"] == 5
    assert all(listed.products[name] != content for name, content in before.items())


def test_pictures_are_divided_too(listed: Workflow):
    listed.make("quicklook", "--batch=quicklook=1/2")
    pictures = {path.stem for path in (listed.folder / "results" / "quicklook").iterdir()}
    assert 0 < len(pictures) < 5
    assert {name.removesuffix("_cal.fits") for name in listed.products} == pictures
