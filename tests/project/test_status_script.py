"""What the profile slurm-generic makes of the states of jobs, without a Slurm."""

import os
import subprocess
from pathlib import Path

import pytest
from snake import ROOT

STATUS = ROOT / "profiles" / "slurm-generic" / "status.sh"


def status(folder: Path, **answers: str) -> tuple[str, str]:
    """Run the script on job 7, in a folder, with commands that print these answers."""
    (folder / "logs" / "cluster").mkdir(parents=True)
    commands = folder / "bin"
    commands.mkdir()
    for name in ("sacct", "scontrol", "scancel"):
        script = f"#!/bin/sh\necho {name} \"$@\" >> calls\nprintf '%s' '{answers.get(name, '')}'\n"
        (commands / name).write_text(script)
        (commands / name).chmod(0o755)
    done = subprocess.run(
        [STATUS, "7"], cwd=folder, env={"PATH": f"{commands}:{os.defpath}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout, done.stderr


FORGOTTEN = "slurm_load_jobs error: Invalid job id specified"
JOB = (
    "JobId=7 JobName=gather JobState={} Reason={} "
    "TimeLimit=01:30:00 Partition={} MinMemoryNode=1G X=y"
)


@pytest.mark.parametrize(
    ("scontrol", "sacct", "state"),
    [
        (JOB.format("RUNNING", "None", "p"), "", "running"),
        (JOB.format("COMPLETED", "None", "p"), "", "success"),
        (JOB.format("NODE_FAIL", "NodeDown", "p"), "", "failed"),
        (JOB.format("POWER_UP_NODE", "None", "p"), "", "running"),
        # Slurm puts it back into the queue.
        (JOB.format("COMPLETING", "None", "p"), "PREEMPTED", "running"),
        (JOB.format("PENDING", "BeginTime", "p"), "NODE_FAIL", "running"),
        (FORGOTTEN, "COMPLETED", "success"),
        (FORGOTTEN, "CANCELLED by 0", "failed"),
        (FORGOTTEN, "", "failed"),
        ("slurm_load_jobs error: Unable to contact slurm controller", "", "running"),
    ],
)
def test_states(tmp_path: Path, scontrol: str, sacct: str, state: str):
    assert status(tmp_path, sacct=sacct, scontrol=scontrol) == (f"{state}\n", "")
    assert ("sacct" in (tmp_path / "calls").read_text()) == (scontrol == FORGOTTEN)


@pytest.mark.parametrize(
    "reason",
    [
        *("PartitionTimeLimit", "QOSMaxWallDurationPerJobLimit", "AssocMaxMemPerNode"),
        *("AssocMaxCpuMinutesPerJobLimit", "MaxMemPerLimit", "BadConstraints"),
    ],
)
def test_job_that_would_wait_for_ever_is_cancelled(tmp_path: Path, reason: str):
    answer, message = status(tmp_path, scontrol=JOB.format("PENDING", reason, "short"))
    assert answer == "failed\n"
    request = "gather (01:30:00, 1G, partition short)"
    start = f"exp-to-source: {request}: Slurm would never start it ({reason}); request less with "
    assert message.startswith(f"{start}--resources runtime=MINUTES mem_mb=MB")
    assert (tmp_path / "logs" / "cluster" / "7.log").read_text() == message
    assert (tmp_path / "calls").read_text().endswith("\nscancel 7\n")


@pytest.mark.parametrize(
    ("partition", "reason"),
    [
        *(("p", "Priority"), ("p", "Resources"), ("p", "QOSMaxJobsPerUserLimit")),
        *(("p", "AssocGrpCpuLimit"), ("p", "PartitionNodeLimit"), ("p", "AssocMaxJobsLimit")),
        ("p", "Nodes_required_for_job_are_DOWN,_DRAINED_or_reserved"),
        # It fits into the longer one.
        ("long,short", "PartitionTimeLimit"),
    ],
)
def test_job_that_waits_for_its_turn(tmp_path: Path, partition: str, reason: str):
    assert status(tmp_path, scontrol=JOB.format("PENDING", reason, partition)) == ("running\n", "")
    assert "scancel" not in (tmp_path / "calls").read_text()
