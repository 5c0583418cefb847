"""Runs that are killed leave nothing half-made, and a plain restart completes them.

EXP_TO_SOURCE_KILLS sets the number of kills (default 3, one of each kind).
"""

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from snake import ROOT, Workflow

from exp_to_source.errors import exit_on_user_error
from exp_to_source.files import atomic_write, remove_temporary_files, write_all
from exp_to_source.results import SUMMARY
from exp_to_source.simulate.exposures import Simulation, simulate

KILLS = int(os.environ.get("EXP_TO_SOURCE_KILLS", "3"))
VICTIMS = ("main", "worker", "all")
WORKERS = ("start.py", "gather_source.py")


def read_results(work: Workflow) -> dict[str, bytes]:
    """Read all results by name, but for the summary, which has the time that a run took."""
    folder = work.folder / "results"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != SUMMARY
    }


def kill(run: subprocess.Popen, victim: str, rng: random.Random) -> None:
    """Kill Snakemake, one of its workers if there are any, or everything at once."""
    workers = [
        process
        for process in psutil.Process(run.pid).children(recursive=True)
        if any(word.endswith(WORKERS) for word in process.cmdline())
    ]
    if victim == "worker" and workers:
        rng.choice(workers).kill()
    elif victim == "all":
        os.killpg(run.pid, signal.SIGKILL)
    else:
        run.kill()


def begin(work: Workflow) -> subprocess.Popen:
    """Begin a run; return once it has its lock, or has ended as nothing was left to do."""
    null = subprocess.DEVNULL
    run = subprocess.Popen(work.command(), stdout=null, stderr=null, start_new_session=True)
    locks = work.folder / ".snakemake" / "locks"
    while run.poll() is None and not any(locks.glob("*")):
        time.sleep(0.02)
    return run


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workflow]:
    """A finished run, of which every byte is determined."""
    folder = tmp_path_factory.mktemp("undisturbed")
    simulate(Simulation(sources=12, overlap="partial", shape=(4, 8)), folder / "data")
    work = Workflow(folder / "work", {"exposures": str(folder / "data")})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        work.make()
        yield work


@pytest.fixture
def work(undisturbed: Workflow, tmp_path: Path) -> Workflow:
    """A run of the same exposures, to begin."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Workflow(folder, undisturbed.config)


def test_kills_at_random_moments(undisturbed: Workflow, work: Workflow):
    whole, rng = read_results(undisturbed), random.Random(0)
    kills = 0
    while kills < KILLS:
        run = begin(work)
        time.sleep(rng.uniform(0, 1.5))
        if run.poll() is None:
            try:
                kill(run, VICTIMS[kills % len(VICTIMS)], rng)
                kills += 1
            except psutil.NoSuchProcess:
                pass
        run.wait()
        for name, content in work.products.items():
            if not name.startswith("."):
                assert content == whole[f"products/{name}"], f"{name} is torn after {kills} kills"
        if run.returncode == 0:
            shutil.rmtree(work.folder / "results")
        # What --unlock does, in a second.
        shutil.rmtree(work.folder / ".snakemake" / "locks", ignore_errors=True)
    work.make()
    assert read_results(work) == whole


def test_lock_is_explained(work: Workflow):
    run = begin(work)
    run.send_signal(signal.SIGSTOP)
    second = work.run()
    run.kill()
    run.wait()
    third = work.run()
    for refused in (second, third):
        assert refused.status == 1
        assert "--unlock" in refused.text
    assert work.run("--unlock").status == 0
    assert not any((work.folder / ".snakemake" / "locks").glob("*"))


def test_disk_full(undisturbed: Workflow, tmp_path: Path):
    """A file size limit stands for a full disk: the write fails in the middle of a product."""
    manifest = next((undisturbed.folder / "results" / "manifests").iterdir())
    product = tmp_path / f"{manifest.stem}_cal.fits"
    script = ROOT / "scripts" / "exp_to_source" / "bin" / "gather_source.py"
    limited = f"ulimit -f 100; trap '' XFSZ; {sys.executable} {script} {manifest} {product}"
    done = subprocess.run(
        ["bash", "-c", limited], cwd=undisturbed.folder, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"exp-to-source gather: {product}: File too large; raise")
    assert list(tmp_path.iterdir()) == []
    subprocess.run([sys.executable, script, manifest, product], cwd=undisturbed.folder, check=True)
    assert product.read_bytes() == undisturbed.products[product.name]


def test_no_space_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "product"
    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(SystemExit, match=r"x: .*product: No space left on device; free some"),
        exit_on_user_error("x"),
        atomic_write(path) as file,
    ):
        write_all(file, b"half")
    assert list(tmp_path.iterdir()) == []


def test_only_our_own_leftovers_are_removed(tmp_path: Path):
    for name in (".product.fits.0123abcd.part", ".theirs.part", "own.0123abcd.part"):
        (tmp_path / name).touch()
    spectra = tmp_path / ".product_cal.0123abcd.part"
    spectra.mkdir()
    (spectra / "product_x1d.fits").touch()
    remove_temporary_files(str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {".theirs.part", "own.0123abcd.part"}
