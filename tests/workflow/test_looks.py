"""Commands that only look at a run never change it."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from snake import Workflow, change_slit

SOURCE = "jw10006-o010_s00061_nirspec_f170lp-g235m_cal.fits"
ONE_CHANGED = {"index_exposure": 1, "list_sources": 1, "gather_source": 1}

Looks = list[tuple[tuple[str, ...], dict[str, object]]]

#: Options of commands that run no jobs, with settings of theirs.
BEFORE: Looks = [
    (("--dry-run",), {"sources": "61"}),
    (("--list-rules",), {"demo": True}),
    (("--dag",), {}),
]
BESIDE: Looks = [
    (("--dry-run", "--forceall"), {"sources": "61"}),
    (("--touch", "--dry-run"), {"demo": True}),
    (("--list-changes=input",), {"exposures": "aside"}),
    # One that the lock stops.
    ((), {"sources": "61"}),
    # It removes the lock.
    (("--unlock",), {}),
]
AFTER: Looks = [
    (("--delete-all-output", "--dry-run"), {}),
    (("--summary",), {"exposures": "aside"}),
    (("--lint",), {"demo": True}),
]


def state(work: Workflow) -> dict[str, tuple[bytes, int]]:
    """Content and time of all results."""
    files = [path for path in (work.folder / "results").rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def look(work: Workflow, looks: Looks) -> None:
    """Run commands that change nothing."""
    before = state(work)
    for options, settings in looks:
        work.run(*options, **settings)
        assert state(work) == before, (options, settings)


def remove_results(work: Workflow) -> None:
    for name in ("results", "logs", ".snakemake"):
        shutil.rmtree(work.folder / name)


def test_looks_before_and_after_a_run(work: Workflow):
    look(work, AFTER)
    remove_results(work)
    look(work, BEFORE)
    assert not (work.folder / "results").exists()


def test_looks_beside_a_run(work: Workflow, finished: Workflow, tmp_path: Path):
    """The gathers of the run wait until all have looked."""
    remove_results(work)
    go, waiting, python = (tmp_path / name for name in ("go", "waiting", "python"))
    python.write_text(
        f"#!/bin/sh\ncase $* in *gather_source.py*) touch {waiting}.$$\n"
        f'while [ ! -e {go} ]; do sleep 0.1; done;; esac\nexec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    run = subprocess.Popen(
        work.command(python=python), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while len(list(tmp_path.glob("waiting.*"))) < 2:
            assert run.poll() is None
            time.sleep(0.1)
        look(work, BESIDE)
    finally:
        go.touch()
        status = run.wait()
    assert status == 0
    assert work.products == finished.products
    assert work.make(python=python) == {}


def test_same_size_and_time_is_an_error_that_names_the_index(work: Workflow):
    """An exposure changes unnoticed, until a gather reads it again."""
    before = work.products
    first, second, _ = sorted((work.folder / "data").iterdir())
    times = first.stat()
    change_slit(first, 61)
    os.utime(first, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert work.make() == {}
    change_slit(second, 61)
    result = work.run()
    assert result.status == 1
    index = work.folder / "results" / "index" / f"{first.stem}.txt"
    assert f"data/{first.name}: changed since it was indexed; delete {index} and" in result.text
    index.unlink()
    assert work.make() == ONE_CHANGED
    assert work.products.keys() == before.keys()
    assert work.products[SOURCE] != before[SOURCE]
