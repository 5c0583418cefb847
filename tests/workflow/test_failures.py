"""Gathers that must not fail, as in groups of cluster jobs: the run fails in their place.

Real cluster jobs are in tests/slurm.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from snake import ROOT, Workflow, change_slit

from exp_to_source.failures import record_failure
from exp_to_source.simulate.exposures import Simulation, simulate

#: As the profiles for clusters request it.
RECORD = "--set-resources=gather_source:record_failure=1"
PRODUCT = "jw10006-o010_s00061_nirspec_f170lp-g235m"
TARGET = f"results/products/{PRODUCT}_cal.fits"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with exposures and products."""
    folder = tmp_path_factory.mktemp("finished") / "work"
    simulate(Simulation(exposures=2, sources=3, shape=(4, 8)), folder / "data")
    Workflow(folder, {"exposures": "data"}).make()
    return folder


@pytest.fixture
def work(finished: Path, tmp_path: Path) -> Workflow:
    return Workflow(shutil.copytree(finished, tmp_path / "work"), {"exposures": "data"})


@contextmanager
def one_bad_source(work: Workflow) -> Iterator[str]:
    """Remove the products, and change a slit of one, unseen by its index; yield the sentence."""
    shutil.rmtree(work.folder / "results" / "products")
    path = sorted((work.folder / "data").glob("*.fits"))[0]
    good, times = path.read_bytes(), path.stat()
    change_slit(path, 61)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    index = work.folder / "results" / "index" / f"{path.stem}.txt"
    fault = f"data/{path.name}: changed since it was indexed"
    yield f"exp-to-source gather: {fault}; delete {index} and run again"
    path.write_bytes(good)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_run_fails_with_the_sentence_and_the_next_makes_what_is_missing(work: Workflow):
    with one_bad_source(work) as sentence:
        result = work.run(RECORD)
    assert result.status == 1
    assert result.jobs["gather_source"] == 3
    assert result.text.rstrip().splitlines()[-1] == sentence
    assert f"2 new, 1 failed\n  failed: {PRODUCT} " in result.text
    assert work.log(f"gather_source/{PRODUCT}") == f"{sentence}\n"
    assert len(work.products) == 2
    assert work.make(RECORD) == {"gather_source": 1}
    assert len(work.products) == 3
    assert list((work.folder / "results" / "failures").iterdir()) == []


def test_empty_product_of_a_killed_run_is_replaced(work: Workflow):
    whole = work.products
    record = work.folder / "results" / "failures" / f"{PRODUCT}.txt"
    record_failure(str(record), [str(work.folder / TARGET)], "a sentence")
    assert work.products[f"{PRODUCT}_cal.fits"] == b""
    assert work.make() == {"gather_source": 1}
    assert set(work.products) == set(whole)
    assert b"" not in work.products.values()
    assert not record.exists()


def test_local_runs_record_nothing(work: Workflow):
    with one_bad_source(work) as sentence:
        result = work.run()
    assert result.status == 1
    assert "record-failure" not in result.text
    # Nothing is tried twice.
    assert result.text.count(sentence) == 1
    assert result.text.endswith(f"{sentence}\n")
    assert f"2 new, 1 failed\n  failed: {PRODUCT} " in result.text
    assert not (work.folder / "results" / "failures").exists()


def test_gather_of_a_module_fails_itself(work: Workflow):
    """Hooks of modules are not run, so nothing else would fail the run."""
    (work.folder / "Snakefile").write_text(
        f'module regroup:\n    snakefile: "{ROOT}/Snakefile"\n    config: {work.config}\n\n'
        "use rule * from regroup\n"
    )
    outer = Workflow(work.folder, {}, root=work.folder)
    with one_bad_source(work) as sentence:
        # Of a module, only the times of exposures count, not the params of the run before.
        result = outer.run(RECORD, "--rerun-triggers=mtime", "--quiet=host", TARGET)
    assert result.status == 1
    assert work.log(f"gather_source/{PRODUCT}") == f"{sentence}\n"
    assert work.products == {}
    assert not (work.folder / "results" / "failures").exists()
