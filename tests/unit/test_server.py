"""Jobs that fork from a server: what they do, how they end, and how they do without it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from snake import ROOT

JOB = """
import contextlib, os, sys, time
from exp_to_source import server
server.IDLE_TIMEOUT = float(os.environ.get("IDLE", 60))

@contextlib.contextmanager
def imports():
    print("not seen: the server has no terminal")
    if what == "no imports":
        sys.exit("not seen")
    yield

def function(what):
    umask = os.umask(0)
    print(what, os.getppid(), os.getcwd(), os.environ.get("VALUE"), oct(umask), flush=True)
    if what == "sentence":
        sys.exit("a sentence")
    if what == "error":
        raise ValueError("no sentence")
    if what == "wait":
        time.sleep(60)

what = sys.argv[1]
status = server.run_in_fork("test", imports(), function, {"what": what})
print("by itself" if status is None else status, oct(os.umask(0)))
"""


class Jobs:
    """Jobs of one server, and a copy of the library that they use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.library = folder / "exp_to_source"
        self.library.mkdir()
        for name in ("__init__.py", "server.py"):
            shutil.copy(ROOT / "scripts" / "exp_to_source" / name, self.library)

    def begin(
        self, what: str, umask: int = 0o27, before: Sequence[str] = (),
        stderr: Any = subprocess.PIPE, **environment: str,
    ) -> "subprocess.Popen[str]":  # fmt: skip
        environment = os.environ | {"PYTHONPATH": str(self.folder)} | environment
        return subprocess.Popen(
            [*before, sys.executable, "-c", JOB, what], env=environment, cwd=self.folder,
            umask=umask, stdout=subprocess.PIPE, stderr=stderr, text=True,
        )  # fmt: skip

    def run(self, what: str, **options: Any) -> tuple[list[str], str]:
        output, errors = self.begin(what, **options).communicate(timeout=60)
        return output.split(), errors

    def server(self, what: str = "work", **options: Any) -> int:
        """Process from which a job forks."""
        return int(self.run(what, **options)[0][1])

    def servers(self) -> list[int]:
        """Servers and their forks: processes of this folder without a parent of the tests."""
        processes = []
        for path in Path("/proc").glob("[0-9]*"):
            # Others end meanwhile.
            with suppress(OSError):
                is_own = f"PYTHONPATH={self.folder}\0".encode() in (path / "environ").read_bytes()
                if is_own and os.getsid(int(path.name)) != os.getsid(0):
                    processes.append(int(path.name))
        return processes


def wait_for(is_met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_met():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def forks_of(server: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{server}/task/{server}/children").read_text().split()]


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    """Jobs whose servers leave nothing behind, even if they are killed."""
    jobs = Jobs(tmp_path)
    yield jobs
    for process in jobs.servers():
        os.kill(process, signal.SIGKILL)
    wait_for(lambda: not jobs.servers())
    assert {path.name for path in tmp_path.iterdir()} == {"exp_to_source"}


def test_forks_have_the_files_folder_environment_and_umask_of_their_jobs(jobs: Jobs):
    first, errors = jobs.run("work", VALUE="first")
    assert first[2:] == [str(jobs.folder), "first", "0o27", "0", "0o27"]
    assert errors == ""
    second, _ = jobs.begin("work", umask=0o2).communicate()
    assert second.split()[1:] == [first[1], str(jobs.folder), "None", "0o2", "0", "0o2"]


def test_jobs_that_begin_together_share_a_server(jobs: Jobs):
    together = [jobs.begin("work") for _ in range(6)]
    assert len({job.communicate()[0].split()[1] for job in together}) == 1


def test_errors_are_those_of_the_job(jobs: Jobs):
    output, errors = jobs.run("sentence")
    assert (output[-2], errors) == ("1", "a sentence\n")
    output, errors = jobs.run("error")
    assert output[-2] == "1"
    assert errors.endswith("ValueError: no sentence\n")


def test_other_code_packages_and_settings_have_another_server(jobs: Jobs):
    """As after an upgrade between two jobs."""
    servers = [jobs.server(), jobs.server(CRDS_CONTEXT="jwst_0001.pmap")]
    servers.append(jobs.server(before=["nice"]))
    (jobs.library / "other.py").write_text("changed = 1")
    servers.append(jobs.server())
    (jobs.library / "other.py").write_text("changed = 2")
    servers.append(jobs.server())
    (jobs.folder / "jwst-3.0.0.dist-info").mkdir()
    servers.append(jobs.server())
    (jobs.folder / "jwst-3.0.0.dist-info").rename(jobs.folder / "jwst-3.0.1.dist-info")
    servers.append(jobs.server())
    assert len(set(servers)) == len(servers)
    (jobs.folder / "jwst-3.0.1.dist-info").rmdir()


def test_a_fork_ends_with_its_job_and_other_jobs_go_on(jobs: Jobs):
    """A server does not end while a fork is at work, however long."""
    job, other = jobs.begin("wait", IDLE="1"), jobs.begin("wait", IDLE="1")
    server, same = (int(begun.stdout.readline().split()[1]) for begun in (job, other))
    assert server == same
    assert len(forks_of(server)) == 2
    job.kill()
    job.communicate()
    wait_for(lambda: len(forks_of(server)) == 1)
    time.sleep(2.5)
    assert jobs.server() == server
    other.kill()
    other.communicate()
    wait_for(lambda: not jobs.servers())


def test_a_fork_ends_with_its_job_if_that_has_no_input(jobs: Jobs):
    job = jobs.begin("wait", before=["sh", "-c", 'exec "$@" <&-', "sh"], IDLE="1")
    job.stdout.readline()
    job.kill()
    # The fork holds its output.
    job.communicate(timeout=30)
    wait_for(lambda: not jobs.servers())


def test_a_job_whose_fork_is_lost_does_the_work_itself(jobs: Jobs):
    job = jobs.begin("wait")
    server = int(job.stdout.readline().split()[1])
    os.kill(forks_of(server)[0], signal.SIGKILL)
    assert job.communicate()[0].startswith("by itself")
    assert jobs.server() == server


def test_a_fork_that_cannot_write_leaves_its_server_alone(jobs: Jobs):
    server = jobs.server()
    with open("/dev/full", "w") as full:
        assert jobs.begin("error", stderr=full).communicate()[0].endswith("\n1 0o27\n")
    assert jobs.server() == server


def test_a_fork_outlives_its_server(jobs: Jobs):
    job = jobs.begin("wait")
    server = int(job.stdout.readline().split()[1])
    os.kill(server, signal.SIGKILL)
    assert jobs.server() != server
    assert job.poll() is None
    job.kill()
    job.communicate()


def test_a_server_that_cannot_import(jobs: Jobs):
    assert jobs.run("no imports")[0] == ["by", "itself", "0o27"]


def test_requests_of_other_users_are_not_met(monkeypatch: pytest.MonkeyPatch):
    """Any user may use the name of a socket that has no file."""
    from exp_to_source import server

    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert server._is_same_user(ours)
        monkeypatch.setattr(os, "getuid", lambda: 12345)
        assert not server._is_same_user(ours)
