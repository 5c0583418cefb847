"""A Slurm of one node, on the loopback interface of this machine, for tests and measurements."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol")
#: Commands look here: the executor plugin does not hand the environment on to its job steps.
CONFIGURATION = Path("/etc/slurm/slurm.conf")
FOLDER = "exp_to_source_slurm"
#: More cores than the machine may have, as most of a job is waiting.
CORES = 4
MEMORY = 8000

SETTINGS = """
ClusterName={folder.name}
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
# A job over its memory is killed within a second or so.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
# A line for each job that ended.
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobs.txt
KillWait=5
SchedulerParameters=batch_sched_delay=0,sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=60 State=UP
"""


class NoSlurmError(Exception):
    """Why no Slurm can be started here."""


@dataclass
class Slurm:
    """A running Slurm."""

    folder: Path

    def ended(self) -> list[dict[str, str]]:
        """Jobs that ended, in the order of their ends: JobId, Name, JobState and so on."""
        path = self.folder / "jobs.txt"
        lines = path.read_text().splitlines() if path.exists() else []
        return [dict(part.split("=", 1) for part in line.split() if "=" in part) for line in lines]

    def queue(self) -> dict[int, str]:
        """States of the jobs that did not end, by number."""
        lines = output("squeue", "--noheader", "--format=%A %T").splitlines()
        return {int(line.split()[0]): line.split()[1] for line in lines}

    def job(self, number: int) -> dict[str, str]:
        """What the controller knows of a job."""
        words = output("scontrol", "--oneliner", "show", "job", str(number)).split()
        return dict(word.split("=", 1) for word in words if "=" in word)


def output(*command: str) -> str:
    """Standard output of a command that has to succeed."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def check() -> None:
    """Raise `NoSlurmError` where this machine cannot run a Slurm of our own."""
    missing = [name for name in PROGRAMS if not find(name)]
    if missing:
        raise NoSlurmError(f"{', '.join(missing)} not found: install slurm-wlm and munge (Debian)")
    if os.geteuid() != 0:
        raise NoSlurmError("only root can start its daemons")
    if os.path.lexists(CONFIGURATION) and not is_ours():
        raise NoSlurmError(f"{CONFIGURATION} is there: this machine has a Slurm of its own")


def find(name: str) -> str | None:
    """Path of a program, daemons among them."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def is_ours() -> bool:
    """Whether the configuration is one that a killed run of the tests left."""
    return CONFIGURATION.is_symlink() and CONFIGURATION.readlink().parent.name == FOLDER


@contextmanager
def one_node(parent: Path) -> Iterator[Slurm]:
    """Start a Slurm, and stop it.

    Parameters
    ----------
    parent : pathlib.Path
        A short path; all that the daemons write is in a folder in it.

    Raises
    ------
    NoSlurmError
        If it cannot be started.
    """
    check()
    folder = parent / FOLDER
    folder.mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    settings = folder / "slurm.conf"
    settings.write_text(
        SETTINGS.format(
            folder=folder, host=socket.gethostname().split(".")[0], ports=free_ports(2),
            cores=CORES, memory=MEMORY,
        )
    )  # fmt: skip
    with ExitStack() as stack:
        made = not CONFIGURATION.parent.exists()
        CONFIGURATION.parent.mkdir(parents=True, exist_ok=True)
        if made:
            stack.callback(CONFIGURATION.parent.rmdir)
        CONFIGURATION.unlink(missing_ok=True)
        CONFIGURATION.symlink_to(settings)
        stack.callback(CONFIGURATION.unlink)
        munge = [f"--{name}={folder}/munge.{name}" for name in ("socket", "key-file", "pid-file")]
        munge[1] = f"--key-file={key}"
        munge += [f"--log-file={folder}/munged.log", f"--seed-file={folder}/munge.seed"]
        stack.enter_context(daemon("munged", "--foreground", "--force", *munge))
        wait_for(lambda: (folder / "munge.socket").exists(), folder, "munged")
        stack.enter_context(daemon("slurmctld", "-D", "-f", str(settings)))
        stack.enter_context(daemon("slurmd", "-D", "-f", str(settings)))
        wait_for(is_idle, folder, "its node")
        slurm = Slurm(folder)
        # slurmd does not take its jobs along when it ends.
        stack.callback(cancel_all, slurm)
        yield slurm


def is_idle() -> bool:
    """Whether the node takes jobs."""
    done = subprocess.run(
        ["sinfo", "--noheader", "--format=%t"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() == "idle"


def cancel_all(slurm: Slurm) -> None:
    """Cancel all jobs, and wait for their ends."""
    if slurm.queue():
        subprocess.run(["scancel", *map(str, slurm.queue())], check=False)
        wait_for(lambda: not slurm.queue(), slurm.folder, "the end of its jobs")


@contextmanager
def daemon(name: str, *arguments: str) -> Iterator[None]:
    """Run a daemon in the foreground, as a child."""
    run = subprocess.Popen(
        [find(name) or name, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        run.terminate()
        try:
            run.wait(timeout=20)
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()


def wait_for(condition, folder: Path, what: str, seconds: float = 20) -> None:
    """Wait until something holds.

    Raises
    ------
    NoSlurmError
        If it does not, with the end of the daemons' logs.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            logs = [path.read_text(errors="replace")[-500:] for path in folder.glob("*.log")]
            raise NoSlurmError(f"waited {seconds} s for {what}: {' '.join(logs)}")
        time.sleep(0.1)


def free_ports(count: int) -> list[int]:
    """Numbers of ports that nothing listens at."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
