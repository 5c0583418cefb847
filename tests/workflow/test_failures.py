"""Gathers that fail, and those that must not, as in groups of cluster jobs: the run fails then.

Real cluster jobs are in tests/slurm.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from snake import ROOT, Workflow, change_slit

from exp_to_source.failures import record_failure

#: As the profiles for clusters request it.
RECORD = "--set-resources=gather_source:record_failure=1"
PRODUCT = "jw10006-o010_s00061_nirspec_f170lp-g235m"
TARGET = f"results/products/{PRODUCT}_cal.fits"


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
    assert result.jobs["gather_source"] == 5
    assert result.text.rstrip().splitlines()[-1] == sentence
    assert f"4 new, 1 failed\n  failed: {PRODUCT} " in result.text
    assert work.log(f"gather_source/{PRODUCT}") == f"{sentence}\n"
    assert len(work.products) == 4
    # As if Snakemake had been killed before the end.
    record = work.folder / "results" / "failures" / f"{PRODUCT}.txt"
    record_failure(str(record), [str(work.folder / TARGET)], sentence)
    assert work.products[f"{PRODUCT}_cal.fits"] == b""
    assert work.make(RECORD) == {"gather_source": 1}
    assert len(work.products) == 5 and b"" not in work.products.values()
    assert list(record.parent.iterdir()) == []


def test_one_bad_source_does_not_stop_the_others(work: Workflow):
    """Local runs record nothing."""
    before = work.products.keys()
    with one_bad_source(work) as sentence:
        result = work.run()
    assert result.status == 1
    assert before - work.products.keys() == {f"{PRODUCT}_cal.fits"}
    assert "record-failure" not in result.text
    # Nothing is tried twice.
    assert result.text.count(sentence) == 1
    assert result.text.endswith(f"{sentence}\n")
    log = f"{work.folder}/logs/gather_source/"
    assert f"4 new, 1 failed\n  failed: {PRODUCT} (see {log}" in result.text
    assert not (work.folder / "results" / "failures").exists()
    assert work.make() == {"gather_source": 1}


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
