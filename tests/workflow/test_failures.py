"""Gathers that must not fail, as in groups of cluster jobs: the run fails in their place.

Real cluster jobs are in tests/slurm.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from astropy.io import fits
from snake import ROOT, Workflow

from exp_to_source.failures import record_failure
from exp_to_source.simulate.exposures import Simulation, simulate

#: As the profiles for clusters ask for it.
RECORD = "--set-resources=gather_source:record_failure=1"
PRODUCT = "jw10006-o010_s00061_nirspec_f170lp-g235m"
TARGET = f"results/products/{PRODUCT}_cal.fits"


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with exposures and a source list."""
    folder = tmp_path_factory.mktemp("listed") / "work"
    simulate(Simulation(exposures=2, sources=5, shape=(4, 8)), folder / "data")
    Workflow(folder, {"exposures": "data"}).make("results/sources.tsv")
    return folder


@pytest.fixture
def work(listed: Path, tmp_path: Path) -> Workflow:
    return Workflow(shutil.copytree(listed, tmp_path / "work"), {"exposures": "data"})


@contextmanager
def one_bad_source(work: Workflow) -> Iterator[str]:
    """Change one slit behind the back of its index; yield the sentence that this deserves."""
    path = sorted((work.folder / "data").glob("*.fits"))[0]
    good, times = path.read_bytes(), path.stat()
    with fits.open(path, mode="update") as hdus:
        next(h for h in hdus if h.header.get("SOURCEID") == 61).data[0, 0] = 42
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    index = work.folder / "results" / "index" / f"{path.stem}.txt"
    fault = f"data/{path.name}: changed since it was indexed"
    yield f"gather_source: {fault}; delete {index} and run again"
    path.write_bytes(good)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_run_fails_with_the_sentence_and_the_next_makes_what_is_missing(work: Workflow):
    with one_bad_source(work) as sentence:
        result = work.run(RECORD)
    assert result.status == 1
    assert result.jobs["gather_source"] == 5
    assert result.text.rstrip().splitlines()[-1] == sentence
    assert f"4 new, 1 failed\n  failed: {PRODUCT} " in result.text
    assert work.log(f"gather_source/{PRODUCT}") == f"{sentence}\n"
    assert len(work.products) == 4
    assert work.make(RECORD) == {"gather_source": 1}
    assert len(work.products) == 5
    assert list((work.folder / "results" / "failures").iterdir()) == []


def test_one_product_by_name(work: Workflow):
    with one_bad_source(work) as sentence:
        result = work.run(RECORD, TARGET)
    assert result.status == 1
    assert sentence in result.text
    assert work.products == {}


@pytest.mark.parametrize("way", [(), (RECORD,)], ids=["locally", "on a cluster"])
def test_what_a_killed_run_left_is_made_again(work: Workflow, way: tuple[str, ...]):
    work.make()
    whole = set(work.products)
    (work.folder / TARGET).unlink()
    record = work.folder / "results" / "failures" / f"{PRODUCT}.txt"
    record_failure(str(record), [str(work.folder / TARGET)], "a sentence")
    assert work.products[f"{PRODUCT}_cal.fits"] == b""
    assert work.make(*way) == {"gather_source": 1}
    assert set(work.products) == whole
    assert b"" not in work.products.values()
    assert not record.exists()


def test_local_runs_know_nothing_of_it(work: Workflow):
    with one_bad_source(work) as sentence:
        result = work.run("--printshellcmds")
    assert result.status == 1
    assert "record-failure" not in result.text
    # Told once, by the last line of ours; nothing is tried twice.
    assert result.text.count(sentence) == 1
    assert f"4 new, 1 failed\n  failed: {PRODUCT} " in result.text
    assert not (work.folder / "results" / "failures").exists()


def test_a_module_has_nobody_to_fail_the_run(work: Workflow):
    """Hooks of modules are not run, so there a gather fails itself."""
    (work.folder / "Snakefile").write_text(
        f'module regroup:\n    snakefile: "{ROOT}/Snakefile"\n    config: {work.config}\n\n'
        "use rule * from regroup\n"
    )
    outer = Workflow(work.folder, {}, root=work.folder)
    with one_bad_source(work) as sentence:
        result = outer.run(RECORD, TARGET)
    assert result.status == 1
    assert sentence in result.text
    assert work.products == {}
    assert not (work.folder / "results" / "failures").exists()
