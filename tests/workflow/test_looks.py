"""Looking never changes a run, and what changed is made again whatever the clocks say.

EXP_TO_SOURCE_LOOKS=all takes every look with every setting at every moment; by default, each of
them comes up, and not every combination.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from snake import ROOT, Workflow, change_slit

from exp_to_source.simulate.exposures import Simulation, simulate

pytestmark = pytest.mark.usefixtures("fixed_date")

SOURCE = "jw10006-o010_s00061_nirspec_f170lp-g235m_cal.fits"
ALL = os.environ.get("EXP_TO_SOURCE_LOOKS") == "all"
DAY = 86400
ONE_CHANGED = {"index_exposure": 1, "list_sources": 1, "gather_source": 1}

#: What people call while a run is at work, or after it. --unlock takes the lock off, so that it
#: has a second real run refused no more: it is the last.
LOOKS = {
    "dry run": ("--dry-run",),
    "dry run of all": ("--dry-run", "--forceall"),
    "dry run by time": ("--dry-run", "--rerun-triggers=mtime"),
    "dry run of a rule": ("--dry-run", "sources"),
    "dry run of the report": ("--dry-run", "report"),
    "touch, dry": ("--touch", "--dry-run"),
    "delete, dry": ("--delete-all-output", "--dry-run"),
    "summary": ("--summary",),
    "detailed summary": ("--detailed-summary",),
    "changes": ("--list-changes=input",),
    "rules": ("--list-rules",),
    "targets": ("--list-target-rules",),
    "lint": ("--lint",),
    "graph of jobs": ("--dag",),
    "graph of rules": ("--rulegraph",),
    "graph of files": ("--filegraph",),
    "second run": (),
    "unlock": ("--unlock",),
}
SETTINGS = {
    "same settings": {},
    "other sources": {"sources": "61"},
    "other exposures": {"exposures": "other"},
    "demo": {"demo": True},
}
MOMENTS = ("index_exposure", "list_sources", "gather_source")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A finished run of two exposures, with one more beside them."""
    folder = tmp_path_factory.mktemp("looks") / "work"
    paths = simulate(Simulation(exposures=3, sources=3, shape=(4, 8)), folder / "data")
    (folder / "other").mkdir()
    paths[0].rename(folder / "other" / paths[0].name)
    work = Workflow(folder, {"exposures": "data"})
    work.make()
    return work


@pytest.fixture
def work(finished: Workflow, tmp_path: Path) -> Workflow:
    """A copy of the finished run, times and all."""
    return Workflow(shutil.copytree(finished.folder, tmp_path / "work"), finished.config)


def first_exposure(work: Workflow) -> Path:
    return sorted((work.folder / "data").iterdir())[0]


def state(work: Workflow) -> dict[str, tuple[bytes, int]]:
    """Content and time of all results."""
    files = [path for path in (work.folder / "results").rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def looks(number: int, running: bool) -> Iterator[tuple[tuple[str, ...], dict[str, object]]]:
    """Looks with their settings: all of them, or some others for each number."""
    for n, (name, words) in enumerate(LOOKS.items()):
        if name == "second run" and not running:
            continue
        for m, settings in enumerate(SETTINGS.values()):
            if ALL or (n % 4 == number % 4 and m == (n // 4 + number) % 4):
                yield words, settings


def test_looks_at_a_finished_run(work: Workflow):
    before = state(work)
    for number, (words, settings) in enumerate(looks(0, running=False)):
        work.run(*words, **settings)
        assert state(work) == before, (number, words, settings)
    assert work.make() == {}


def test_looks_before_a_run_write_nothing(finished: Workflow, tmp_path: Path):
    work = Workflow(tmp_path / "work", finished.config)
    for name in ("data", "other"):
        shutil.copytree(finished.folder / name, work.folder / name)
    for words, settings in looks(1, running=False):
        work.run(*words, **settings)
        assert not (work.folder / "results").exists(), (words, settings)


def settled(work: Workflow) -> object:
    """State once the jobs beside the one that waits are through: requests are written by some."""
    before = None
    while (now := state(work)) != before:
        before = now
        time.sleep(1)
    return now


@pytest.mark.parametrize("moment", MOMENTS)
def test_looks_beside_a_run(finished: Workflow, tmp_path: Path, moment: str):
    """A job of the run waits until all have looked."""
    root = tmp_path / "root"
    for part in ("Snakefile", "workflow", "scripts", "config", "profiles"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        root.mkdir(exist_ok=True)
        copy(ROOT / part, root / part)
    go, waiting = tmp_path / "go", tmp_path / "waiting"
    script = root / "scripts" / f"{moment}.py"
    wait = (
        f"import os, time\nopen({str(waiting)!r}, 'w').close()\n"
        f"while not os.path.exists({str(go)!r}):\n    time.sleep(0.05)\n"
    )
    text = script.read_text()
    script.write_text(text.replace("    main()", "    " + wait.replace("\n", "\n    ") + "main()"))
    work = Workflow(tmp_path / "work", finished.config, root)
    for name in ("data", "other"):
        shutil.copytree(finished.folder / name, work.folder / name)
    run = subprocess.Popen(work.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not waiting.exists():
            assert run.poll() is None
            time.sleep(0.05)
        before = settled(work)
        for words, settings in looks(2 + MOMENTS.index(moment), running=True):
            work.run(*words, **settings)
            assert state(work) == before, (words, settings)
    finally:
        go.touch()
        status = run.wait()
    assert status == 0
    assert work.products == finished.products
    assert work.make() == {}


def test_a_choice_beside_a_run_does_not_become_its_own(finished: Workflow, tmp_path: Path):
    work = Workflow(tmp_path / "work", finished.config)
    shutil.copytree(finished.folder / "data", work.folder / "data")
    run = subprocess.Popen(work.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while run.poll() is None:
        work.run("--dry-run", sources="61")
    assert run.returncode == 0
    assert work.products == finished.products


def test_settings_that_come_back(work: Workflow):
    way = "--rerun-triggers=mtime"
    before = work.products
    assert work.make(way, sources="61") == {"list_sources": 1}
    assert len(work.sources) == 1
    assert work.make(way) == {"list_sources": 1}
    assert len(work.sources) == len(before)
    assert work.products == before
    assert work.make(way) == {}


@pytest.mark.parametrize("what", ["index", "manifests", "request", "products", "."])
def test_files_of_ours_that_are_dated_in_the_future(work: Workflow, what: str):
    ahead = time.time() + DAY
    for path in (work.folder / "results" / what).iterdir():
        if path.is_file():
            os.utime(path, (ahead, ahead))
    work.make()
    change_slit(first_exposure(work), 61)
    before = work.products
    # Size and time tell of an exposure whose index is newer.
    assert work.make()["gather_source"] == 1
    assert [name for name in before if work.products[name] != before[name]] == [SOURCE]
    assert work.make() == {}


def test_pictures_and_proofs_of_products_of_the_future(work: Workflow):
    ahead = time.time() + DAY
    for path in (work.folder / "results" / "products").iterdir():
        os.utime(path, (ahead, ahead))
    work.make("verify", "report", f"results/quicklook/{SOURCE.replace('_cal.fits', '.png')}")


@pytest.mark.parametrize("way", ["stop", "skip"])
def test_exposure_dated_in_the_future(work: Workflow, way: str):
    path = first_exposure(work)
    before = work.products
    ahead = time.time() + DAY
    os.utime(path, (ahead, ahead))
    # Of small files Snakemake looks at the content; ours are larger than that.
    result = work.run("--max-checksum-file-size=1", on_bad_exposure=way)
    assert result.status == 1
    assert f"index_exposure: data/{path.name}: is dated " in result.text
    assert "clock skew" not in result.text
    assert work.products == before
    os.utime(path)
    assert "gather_source" not in work.make()


def test_same_size_and_time_is_an_error_that_names_the_index(work: Workflow):
    """An exposure changes unnoticed, until a gather reads it again."""
    before = work.products
    first, second = sorted((work.folder / "data").iterdir())
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
    assert work.make() == {}
