"""Jobs that fork from a server: what they do, how they end, and how they do without it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from snake import ROOT

SCRIPTS = str(ROOT / "scripts")

SERVER = f"""
import os, sys, time
sys.path.insert(0, {SCRIPTS!r})
from exp_to_source.run import server
server.IDLE = 1

def function(what):
    print(what, os.getcwd(), os.environ.get("SAID"), os.getppid(), flush=True)
    if what == "sentence":
        sys.exit("a sentence")
    if what == "error":
        raise ValueError("no sentence")
    if what == "wait":
        time.sleep(60)

with open(sys.argv[1] + ".started", "a") as file:
    file.write("once ")
server.serve(sys.argv[1], function)
"""

CLIENT = f"""
import json, sys
sys.path.insert(0, {SCRIPTS!r})
from exp_to_source.run.server import ask_server
status = ask_server(json.loads(sys.argv[1]), {{"what": sys.argv[2]}})
print("by itself" if status is None else status)
"""


class Jobs:
    """Jobs of one server."""

    def __init__(self, folder: Path) -> None:
        program = folder / "server.py"
        program.write_text(SERVER)
        self.folder = folder
        self.start = f'["{sys.executable}", "{program}"]'

    def begin(self, what: str, **environment: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", CLIENT, self.start, what]
        environment = os.environ | {"TMPDIR": str(self.folder)} | environment
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, env=environment, cwd=self.folder, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, what: str, **environment: str) -> tuple[list[str], str]:
        said, errors = self.begin(what, **environment).communicate()
        return said.split(), errors

    @property
    def addresses(self) -> list[Path]:
        (folder,) = self.folder.glob("exp_to_source-*")
        return [path for path in folder.iterdir() if path.is_socket()]

    @property
    def starts(self) -> int:
        (folder,) = self.folder.glob("exp_to_source-*")
        return sum(path.read_text().count("once") for path in folder.glob("*.started"))


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    jobs = Jobs(tmp_path)
    yield jobs
    deadline = time.monotonic() + 20
    while jobs.addresses:
        assert time.monotonic() < deadline, "the server does not end"
        time.sleep(0.1)


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_forks_have_the_files_folder_and_environment_of_their_jobs(jobs: Jobs):
    first, errors = jobs.run("work", SAID="first")
    assert (first[:3], first[-1], errors) == (["work", str(jobs.folder), "first"], "0", "")
    second, _ = jobs.run("work")
    assert second[2] == "None"
    # Both are forks of one server.
    assert first[3] == second[3]
    assert jobs.starts == 1


def test_jobs_that_begin_together_share_a_server(jobs: Jobs):
    together = [jobs.begin("work") for _ in range(6)]
    assert len({job.communicate()[0].split()[3] for job in together}) == 1
    assert jobs.starts == 1


def test_errors_are_those_of_the_job(jobs: Jobs):
    said, errors = jobs.run("sentence")
    assert (said[-1], errors) == ("1", "a sentence\n")
    said, errors = jobs.run("error")
    assert said[-1] == "1"
    assert errors.endswith("ValueError: no sentence\n")


def test_other_settings_of_libraries_have_another_server(jobs: Jobs):
    jobs.run("work")
    jobs.run("work", CRDS_CONTEXT="jwst_0001.pmap")
    assert jobs.starts == 2


def forks_of(server: int) -> list[int]:
    return [
        int(word) for word in Path(f"/proc/{server}/task/{server}/children").read_text().split()
    ]


def test_a_fork_ends_with_its_job_and_other_jobs_go_on(jobs: Jobs):
    job, other = jobs.begin("wait"), jobs.begin("wait")
    servers = [int(begun.stdout.readline().split()[3]) for begun in (job, other)]
    assert servers[0] == servers[1]
    assert len(forks_of(servers[0])) == 2
    job.kill()
    job.communicate()
    deadline = time.monotonic() + 10
    while len(forks_of(servers[0])) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert jobs.run("work")[0][-1] == "0"
    other.kill()
    other.communicate()


def test_jobs_whose_server_is_killed_do_the_work_themselves(jobs: Jobs):
    job = jobs.begin("wait")
    server = int(job.stdout.readline().split()[3])
    forks = forks_of(server)
    os.kill(server, signal.SIGKILL)
    assert job.stdout.readline() == "by itself\n"
    for fork in forks:
        os.kill(fork, signal.SIGKILL)
    job.communicate()
    # The next one finds what the dead server has left, and starts another.
    assert jobs.run("work")[0][-1] == "0"
    assert jobs.starts == 2


def test_a_server_that_does_not_start(jobs: Jobs):
    jobs.run("work")
    jobs.start = f'["{sys.executable}", "-c", "raise SystemExit(1)"]'
    assert jobs.run("work")[0] == ["by", "itself"]


def test_a_folder_that_others_may_write_to_is_not_used(jobs: Jobs, tmp_path: Path):
    jobs.run("work")
    (folder,) = tmp_path.glob("exp_to_source-*")
    folder.chmod(0o777)
    assert jobs.run("work")[0] == ["by", "itself"]


def test_no_place_for_a_socket(jobs: Jobs, tmp_path: Path):
    jobs.run("work")
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    assert jobs.run("work", TMPDIR=str(deep))[0] == ["by", "itself"]
