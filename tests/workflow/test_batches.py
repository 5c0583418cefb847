"""Products in parts, with Snakemake's --batch: those of an existing list."""

import os
import shutil

import pytest
from snake import Workflow, change_slit

LIST = "results/sources.tsv"
REFUSAL = "exp-to-source: --batch divides the products of a source list"
FIRST, LAST = "--bat=all=1/2", "--batch=all=2/2"


@pytest.fixture
def listed(work: Workflow) -> Workflow:
    """A run that has its source list, and no products."""
    shutil.rmtree(work.folder / "results" / "products")
    return work


def is_refused(work: Workflow, batch: str) -> bool:
    result = work.run(batch)
    return result.status == 1 and result.text.splitlines()[-1].startswith(REFUSAL)


def test_list_that_does_not_exist_or_is_of_others(listed: Workflow):
    shutil.copy(next((listed.folder / "aside").iterdir()), listed.folder / "data")
    assert is_refused(listed, LAST)
    (listed.folder / LIST).unlink()
    assert is_refused(listed, LAST)
    assert not (listed.folder / "results" / "products").exists()


def test_exposure_that_changes_between_batches(listed: Workflow):
    first = listed.make(FIRST)["gather_source"]
    before = listed.products
    assert 0 < first == len(before) < 5
    path = sorted((listed.folder / "data").iterdir())[1]
    for source_id in (59, 61, 62, 63):
        change_slit(path, source_id)
    os.utime(path, (1e9, 1e9))
    # A batch whose products exist, and one that would make new products of it.
    assert is_refused(listed, FIRST) and is_refused(listed, LAST)
    assert listed.products == before
    listed.make(LIST)
    unchanged = sum("_s00060_" in name for name in before)
    assert listed.make(FIRST) == {"gather_source": first - unchanged}
    assert sum(listed.products[name] == before[name] for name in before) == unchanged
    # All products between them, and pictures are divided, too.
    assert listed.make(LAST) == {"gather_source": 5 - first}
    jobs = listed.make("quicklook", "--batch=quicklook=1/2")
    assert 0 < jobs["draw_quicklook"] < 5 and jobs["gather_source"] == 0
