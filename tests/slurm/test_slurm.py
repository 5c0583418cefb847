"""The workflow on a real Slurm of four nodes, in each of the ways of docs/cluster.md."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from four_nodes import Slurm, cancel_all, output
from snake import ROOT, Result, Workflow, change_slit

from exp_to_source.simulate.exposures import Simulation, simulate

SNAKEMAKE = ROOT / ".venv-slurm" / "bin" / "snakemake"
STATUS = ROOT / "profiles" / "slurm-generic" / "status.sh"
SHAPE = (4, 8)
PRODUCT = "jw10006-o010_s{:05d}_nirspec_f170lp-g235m"

#: The real profiles, for a cluster that answers at once.
GENERIC = ("--workflow-profile=slurm-generic", "--seconds-between-status-checks=1")
PLUGIN = (
    "--workflow-profile=slurm",
    "--seconds-between-status-checks=1",
    "--slurm-init-seconds-before-status-checks=2",
    "--slurm-status-command=squeue",
)


@dataclass
class Remote(Workflow):
    """A working directory whose jobs run on the cluster."""

    options: tuple[str, ...] = GENERIC

    def command(self, *arguments: str, **config: object) -> list[str]:
        """Command line of a run by a profile for clusters."""
        words = super().command(*self.options, *arguments, **config)
        start = words.index("--snakefile")
        return [str(SNAKEMAKE), *self.printing, *words[start:]]

    def start(self) -> subprocess.Popen:
        """Start a run, and do not wait for it."""
        self.folder.mkdir(exist_ok=True)
        return subprocess.Popen(
            self.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


def end(run: subprocess.Popen) -> Result:
    """Wait for the end of a run."""
    text, _ = run.communicate(timeout=120)
    return Result(run.returncode, text)


@dataclass
class Made:
    """Exposures, and a local run of them."""

    exposures: Path
    products: dict[str, bytes]

    def copy(self, folder: Path) -> Path:
        """Copy the exposures, times and all."""
        return shutil.copytree(self.exposures, folder)


def make_locally(folder: Path, **what: int) -> Made:
    simulate(Simulation(shape=SHAPE, **what), folder / "data")
    local = Workflow(folder / "local", {"exposures": folder / "data"})
    local.make()
    return Made(folder / "data", local.products)


@pytest.fixture(scope="module", autouse=True)
def one_date() -> Iterator[None]:
    """Every byte of a product is determined."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        yield


@pytest.fixture(scope="module")
def few(slurm: Slurm, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_locally(tmp_path_factory.mktemp("few"), exposures=2, sources=3)


@pytest.fixture(scope="module")
def many(slurm: Slurm, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_locally(tmp_path_factory.mktemp("many"), exposures=2, sources=60)


@pytest.fixture(autouse=True)
def empty_queue(slurm: Slurm) -> Iterator[None]:
    """No test leaves jobs to the next."""
    yield
    cancel_all(slurm)


@pytest.fixture
def jobs(slurm: Slurm) -> Callable[[], list[str]]:
    """States of the cluster jobs that ended since it was last asked."""
    seen = [len(slurm.ended())]

    def ended() -> list[str]:
        wait_for(lambda: not slurm.queue())
        states = [job["JobState"] for job in slurm.ended()]
        new = states[seen[0] :]
        seen[0] = len(states)
        return new

    return ended


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    stop = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < stop, "waited in vain"
        time.sleep(0.1)


def submit(folder: Path, data: Path, *options: str, **environment: str) -> tuple[int, Path]:
    """Submit the script that runs everything in one allocation; its number and its log."""
    log = folder.with_suffix(".log")
    number = subprocess.run(
        [
            *("sbatch", "--parsable", f"--output={log}", "--cpus-per-task=2", "--mem=3G", *options),
            *("profiles/slurm/run.sbatch", str(folder), "--config", f"exposures={data}"),
        ],
        cwd=ROOT, env=os.environ | {"SNAKEMAKE": str(SNAKEMAKE)} | environment,
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return int(number), log


def test_commands_in_place_of_the_plugin(many: Made, tmp_path: Path, jobs):
    data = many.copy(tmp_path / "data")
    work = Remote(tmp_path / "work", {"exposures": data})
    done = work.make()
    assert (done["index_exposure"], done["gather_source"]) == (2, 60)
    assert work.products == many.products
    assert jobs() == ["COMPLETED"] * (2 + 2)
    assert len(list((work.folder / "logs" / "cluster").iterdir())) == 2 + 2
    assert work.make() == {}
    assert jobs() == []
    change_slit(sorted(data.glob("*_cal.fits"))[1], 61)
    assert work.make() == {"index_exposure": 1, "list_sources": 1, "gather_source": 1}
    assert jobs() == ["COMPLETED"] * 2
    changed = {name for name in many.products if work.products[name] != many.products[name]}
    assert changed == {f"{PRODUCT.format(61)}_cal.fits"}


def test_one_allocation(many: Made, tmp_path: Path, jobs):
    work = tmp_path / "work"
    for said in (": 60 new\n", "Nothing to be done"):
        _, log = submit(work, many.exposures)
        assert jobs() == ["COMPLETED"]
        assert said in log.read_text()
        log.unlink()
        assert Workflow(work, {}).products == many.products


def test_allocation_goes_on_elsewhere(many: Made, tmp_path: Path, slurm: Slurm):
    """Its first turn loses its node; its second is sent the signal that precedes the time limit."""
    work = Workflow(tmp_path / "work", {})
    number, log = submit(work.folder, many.exposures, "--cpus-per-task=1")
    wait_for(lambda: work.products)
    node = slurm.job(number)["NodeList"]
    with slurm.lost(node):
        made = len(work.products)
        wait_for(lambda: len(work.products) > made)
        assert slurm.job(number)["NodeList"] != node
    output("scancel", "--batch", "--signal=USR1", str(number))
    wait_for(lambda: slurm.job(number)["Restarts"] == "2")
    made = len(work.products)
    assert made < 60
    wait_for(lambda: slurm.job(number)["JobState"] == "COMPLETED")
    assert work.products == many.products
    text = log.read_text()
    assert "out of time; the job goes back into the queue (turn 3)" in text
    assert f": {60 - made} new, {made} unchanged\n" in text
    assert "submit it again" not in text


def test_allocation_that_makes_nothing_is_not_repeated(many: Made, tmp_path: Path, slurm: Slurm):
    number, log = submit(tmp_path / "work", many.exposures, MAX_RESTARTS="0")
    wait_for((tmp_path / "work" / "results" / "index").is_dir)
    output("scancel", "--batch", "--signal=USR1", str(number))
    wait_for(lambda: slurm.job(number)["JobState"] == "FAILED")
    assert "out of time after turn 1; submit it again" in log.read_text()


def test_allocation_of_which_nothing_is_said(slurm: Slurm, tmp_path: Path):
    log = tmp_path / "log"
    options = ("--parsable", f"--output={log}", "--cpus-per-task=1", "--mem=100")
    number = int(output("sbatch", *options, str(ROOT / "profiles" / "slurm" / "run.sbatch")))
    wait_for(lambda: slurm.job(number)["JobState"] == "FAILED")
    assert slurm.job(number)["ExitCode"] == "2:0"
    assert log.read_text().startswith("run.sbatch: name the folder for results")


def test_jobs_that_lose_their_nodes(few: Made, tmp_path: Path, slurm: Slurm, jobs):
    """One node is killed, the other taken for what is urgent; Slurm moves the jobs."""
    work = Remote(tmp_path / "work", {"exposures": few.exposures})
    run = work.start()
    wait_for(lambda: list(slurm.queue().values()) == ["RUNNING"] * 2)
    killed, taken = (slurm.job(number)["NodeList"] for number in slurm.queue())
    with slurm.lost(killed):
        urgent = ("--partition=urgent", f"--nodelist={taken}", "--exclusive", "--mem=50")
        output("sbatch", *urgent, "--output=/dev/null", "--wrap=true")
        result = end(run)
    assert result.status == 0, result.text
    assert work.products == few.products
    assert sorted(jobs()) == ["COMPLETED"] * 4 + ["NODE_FAIL", "PREEMPTED"]


def test_jobs_that_are_killed(few: Made, tmp_path: Path, slurm: Slurm, jobs):
    """One is cancelled, one over its time, one over its memory; all get more the next time."""
    little = "--set-resources=gather_source:mem_mb=10 if attempt == 1 else 500"
    work = Remote(tmp_path / "work", {"exposures": few.exposures}, options=(*GENERIC, little))
    run = work.start()
    wait_for(lambda: list(slurm.queue().values()) == ["RUNNING"] * 2)
    cancelled, late = map(str, slurm.queue())
    output("scancel", cancelled)
    output("scancel", "--full", "--signal=STOP", late)
    # Slurm looks at time limits twice a minute.
    output("scontrol", "update", f"JobId={late}", "EndTime=now")
    result = end(run)
    assert result.status == 0, result.text
    assert work.products == few.products
    assert sorted(jobs()) == ["CANCELLED"] + ["COMPLETED"] * 3 + ["FAILED", "TIMEOUT"]
    made = [job for job in slurm.ended()[-6:] if job["JobState"] == "COMPLETED"]
    # Minutes, of which an index has five at its first attempt.
    assert [job["TimeLimit"] for job in made if job["Name"] == "index_exposure"] == ["10", "10"]


def test_job_over_its_memory_each_time(few: Made, tmp_path: Path, jobs):
    little = "--set-resources=index_exposure:mem_mb=20"
    options = (*GENERIC, little, "--retries=0")
    result = Remote(tmp_path / "work", {"exposures": few.exposures}, options=options).run()
    assert result.status == 1
    assert "no sources are listed in " in result.text
    assert result.text.count("the job ended without a message: killed") == 2
    assert jobs() == ["FAILED"] * 2


def test_job_over_the_time_limit_of_its_partition(
    few: Made, tmp_path: Path, slurm: Slurm, jobs, monkeypatch: pytest.MonkeyPatch
):
    """It fails with a sentence; capped, it runs."""
    output("scontrol", "create", "PartitionName=short", "Nodes=ALL", "MaxTime=4", "State=UP")
    monkeypatch.setenv("SBATCH_PARTITION", "short")
    work = Remote(tmp_path / "work", {"exposures": few.exposures})
    result = work.run("--retries=0")
    assert result.status == 1
    assert slurm.queue() == {}
    request = "exp-to-source: index_exposure (00:05:00, 500M, partition short)"
    sentence = f"{request}: Slurm would never start it (PartitionTimeLimit); request less with "
    assert result.text.count(f"\n{sentence}") == 2 + 1
    assert jobs() == ["CANCELLED"] * 2
    work.make("--resources=runtime=4")
    assert work.products == few.products
    assert jobs() == ["COMPLETED"] * 3
    output("scontrol", "delete", "PartitionName=short")


@pytest.mark.parametrize("options", [GENERIC, PLUGIN], ids=["commands", "plugin"])
def test_bad_source_does_not_take_its_neighbours_along(
    few: Made, tmp_path: Path, jobs, options: tuple[str, ...]
):
    data = few.copy(tmp_path / "data")
    work = Remote(tmp_path / "work", {"exposures": data}, options=options)
    local = Workflow(work.folder, work.config)
    local.make("results/sources.tsv")
    bad = sorted(data.glob("*_cal.fits"))[0]
    good, times = bad.read_bytes(), bad.stat()
    change_slit(bad, 61)
    os.utime(bad, ns=(times.st_atime_ns, times.st_mtime_ns))

    result = work.run()
    assert result.status == 1
    index = work.folder / "results" / "index" / f"{bad.stem}.txt"
    sentence = (
        f"exp-to-source gather: {bad}: changed since it was indexed; delete {index} and run again"
    )
    assert result.text.rstrip().splitlines()[-1] == sentence
    assert f"failed: {PRODUCT.format(61)} " in result.text
    name = f"{PRODUCT.format(61)}_cal.fits"
    assert work.products == {key: few.products[key] for key in few.products if key != name}
    # The first time its group fails, the second time it is recorded.
    assert sorted(jobs()) == ["COMPLETED", "FAILED"]

    bad.write_bytes(good)
    os.utime(bad, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert local.make() == {"gather_source": 1}
    assert work.products == few.products


def test_status_of_jobs(slurm: Slurm, tmp_path: Path):
    def status(job: int, **environment: str) -> str:
        command = [STATUS, str(job)]
        return subprocess.check_output(command, env=os.environ | environment, text=True)

    def sbatch(command: str) -> int:
        options = ("--parsable", "--mem=50", f"--output={tmp_path}/log", f"--wrap={command}")
        return int(output("sbatch", *options))

    good, bad, long = sbatch("true"), sbatch("exit 3"), sbatch("sleep 100")
    wait_for(lambda: set(slurm.queue()) == {long})
    assert [status(job) for job in (good, bad, long)] == ["success\n", "failed\n", "running\n"]
    output("scancel", str(long))
    wait_for(lambda: not slurm.queue())
    assert status(long) == "failed\n"
    assert status(99999) == "failed\n"
    unreachable = tmp_path / "slurm.conf"
    text = (slurm.folder / "slurm.conf").read_text()
    unreachable.write_text(re.sub("SlurmctldPort=.*", "SlurmctldPort=1", text))
    unreachable.write_text(f"{unreachable.read_text()}MessageTimeout=1\n")
    assert status(good, SLURM_CONF=str(unreachable)) == "running\n"


@pytest.mark.parametrize("options", [GENERIC, PLUGIN], ids=["generic", "plugin"])
def test_spectra_share_jobs(
    few: Made, tmp_path: Path, jobs: Callable[[], list[str]], options: tuple[str, ...]
):
    """The Python of the tests has jwst, which that of the executors has not."""
    config = {"exposures": few.copy(tmp_path / "data"), "offline": True, "python": sys.executable}
    remote = Remote(tmp_path / "work", config, options=options)
    remote.make()
    assert remote.products == few.products
    assert jobs() == ["COMPLETED"] * (2 + 1)
    made = remote.make("spec3")
    assert made["extract_spectrum"] == 3
    spectra = remote.folder / "results" / "spec3"
    assert len(list(spectra.glob("*_x1d.fits"))) == 3
    assert jobs() == ["COMPLETED"]
    # One that fails is recorded, and takes no other with it.
    bad = remote.folder / "results" / "products" / f"{PRODUCT.format(59)}_cal.fits"
    bad.write_bytes(bad.read_bytes().replace(b"XTENSION= 'IMAGE", b"XTENSION= 'IMAGO"))
    for path in spectra.glob("*.fits"):
        path.unlink()
    result = remote.run("spec3", "--rerun-triggers=input")
    assert result.status == 1
    assert f"exp-to-source spec3: results/products/{bad.name}: " in result.text
    assert len(list(spectra.glob("*_x1d.fits"))) == 2
