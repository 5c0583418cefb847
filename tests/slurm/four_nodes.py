"""A Slurm of four nodes, on the loopback interface of this machine, for tests and measurements."""

import ctypes
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "unshare")
#: Commands look here: the executor plugin does not hand the environment on to its job steps.
CONFIGURATION = "/etc/slurm"
NODES = ("n1", "n2", "n3", "n4")

SETTINGS = """
ClusterName=exp_to_source
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# For so many seconds a job that was put back waits, as long as its credentials are valid.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
SlurmctldPort={port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
# A job goes to the node that has the fewest.
SelectTypeParameters=CR_Core_Memory,CR_LLN
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
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
PartitionName=main Nodes=ALL Default=YES MaxTime=60 State=UP
PartitionName=urgent Nodes=ALL PriorityTier=2 MaxTime=60 State=UP
"""
#: In all more cores than the machine may have, as most of a job is waiting.
NODE = "NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 RealMemory=4000\n"


class NoSlurmError(Exception):
    """Why no Slurm can be started here."""


@dataclass
class Slurm:
    """A running Slurm."""

    folder: Path
    daemons: dict[str, subprocess.Popen] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        """Start a daemon in the foreground, as a child."""
        self.daemons[name] = subprocess.Popen(
            [find(command[0]), *command[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def start_node(self, node: str) -> None:
        """Start a node; jobs, which slurmd leaves alone when it ends, end with its namespace."""
        apart = ("unshare", "--pid", "--mount-proc", "--kill-child")
        self.start(node, *apart, find("slurmd"), "-D", "-N", node)

    def kill(self, name: str) -> None:
        """Kill a daemon, or a node with all that runs on it."""
        self.daemons[name].kill()
        self.daemons[name].wait()

    @contextmanager
    def lost(self, node: str) -> Iterator[None]:
        """Kill a node, and start it again in the end."""
        self.kill(node)
        # Slurm does this by itself after SlurmdTimeout.
        output("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=killed")
        try:
            yield
        finally:
            self.start_node(node)
            wait_for(lambda: are_idle(node), self.folder, node)

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


def find(name: str) -> str:
    """Path of a program, daemons among them."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        raise NoSlurmError(f"{name} not found: install slurm-wlm and munge (Debian)")
    return path


def hide_configuration(folder: Path) -> None:
    """Put a folder in the place of /etc/slurm, for this process and its children only."""
    # CLONE_NEWNS of <sched.h>: a mount namespace of its own.
    if ctypes.CDLL(None).unshare(0x00020000) != 0:
        raise NoSlurmError("only root, with the right to mount, can start its daemons")
    for options in (("--make-rprivate", "/"), ("--bind", str(folder), CONFIGURATION)):
        mount = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
        if mount.returncode != 0:
            raise NoSlurmError(mount.stderr)


@contextmanager
def four_nodes() -> Iterator[Slurm]:
    """Start a Slurm, and stop it.

    Raises
    ------
    NoSlurmError
        If it cannot be started.
    """
    for name in PROGRAMS:
        find(name)
    with ExitStack() as stack:
        # Its socket needs a short path.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slurm")))
        write_settings(folder)
        hide_configuration(folder)
        slurm = Slurm(folder)
        stack.callback(lambda: [slurm.kill(name) for name in slurm.daemons])
        munge = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "log", "pid", "seed")]
        munge += ["--foreground", "--force", f"--socket={folder}/munge.socket"]
        slurm.start("munged", "munged", *munge)
        wait_for((folder / "munge.socket").exists, folder, "munged")
        slurm.start("slurmctld", "slurmctld", "-D")
        for node in NODES:
            slurm.start_node(node)
        wait_for(lambda: are_idle(*NODES), folder, "its nodes")
        yield slurm


def write_settings(folder: Path) -> None:
    """Write slurm.conf, and a key for munge."""
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    host = socket.gethostname().split(".")[0]
    port, *ports = free_ports(1 + len(NODES))
    lines = [SETTINGS.format(folder=folder, host=host, port=port)]
    lines += [NODE.format(node=n, host=host, port=p) for n, p in zip(NODES, ports, strict=True)]
    (folder / "slurm.conf").write_text("".join(lines))


def are_idle(*nodes: str) -> bool:
    """Whether nodes take jobs."""
    command = ["sinfo", "--noheader", f"--nodes={','.join(nodes)}", "--format=%t"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return set(done.stdout.split()) == {"idle"}


def cancel_all(slurm: Slurm) -> None:
    """Cancel all jobs, and wait for their ends."""
    if slurm.queue():
        subprocess.run(["scancel", *map(str, slurm.queue())], check=False)
        wait_for(lambda: not slurm.queue(), slurm.folder, "the end of its jobs")


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
