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
    for name in ("sacct", "scontrol", "squeue", "scancel"):
        script = f"#!/bin/sh\necho {name} \"$@\" >> calls\nprintf '%s' '{answers.get(name, '')}'\n"
        (commands / name).write_text(script)
        (commands / name).chmod(0o755)
    done = subprocess.run(
        [STATUS, "7"], cwd=folder, env={"PATH": f"{commands}:{os.defpath}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout, done.stderr


@pytest.mark.parametrize(
    ("sacct", "scontrol", "state"),
    [
        ("COMPLETED", "", "success"),
        ("RUNNING", "", "running"),
        ("POWER_UP_NODE", "", "running"),
        ("CANCELLED by 0", "", "failed"),
        ("", "JobId=7 JobState=COMPLETED Reason=None", "success"),
        ("", "slurm_load_jobs error: Invalid job id specified", "failed"),
        ("", "slurm_load_jobs error: Unable to contact slurm controller", "running"),
    ],
)
def test_states(tmp_path: Path, sacct: str, scontrol: str, state: str):
    assert status(tmp_path, sacct=sacct, scontrol=scontrol) == (f"{state}\n", "")
    assert "squeue" not in (tmp_path / "calls").read_text()


@pytest.mark.parametrize(
    "reason",
    [
        *("PartitionTimeLimit", "QOSMaxWallDurationPerJobLimit", "AssocMaxMemPerNode"),
        *("AssocMaxCpuMinutesPerJobLimit", "MaxMemPerLimit", "BadConstraints"),
    ],
)
def test_job_that_would_wait_for_ever_is_cancelled(tmp_path: Path, reason: str):
    request = "index_exposure (1:30:00, 1G, partition short)"
    answer, message = status(tmp_path, sacct="PENDING", squeue=f"short {reason} {request}")
    assert answer == "failed\n"
    start = f"exp-to-source: {request}: Slurm would never start it ({reason}); request less with "
    assert message.startswith(f"{start}--resources runtime=MINUTES mem_mb=MB")
    assert (tmp_path / "logs" / "cluster" / "7.log").read_text() == message
    assert (tmp_path / "calls").read_text().endswith("\nscancel 7\n")


@pytest.mark.parametrize(
    "squeue",
    [
        *("", "p Priority gather", "p Resources gather", "p QOSMaxJobsPerUserLimit gather"),
        *("p AssocGrpCpuLimit gather", "p PartitionNodeLimit gather", "p AssocMaxJobsLimit gather"),
        "p Nodes required for job are DOWN, DRAINED or reserved gather",
        # It fits into the longer one.
        "long,short PartitionTimeLimit gather",
    ],
)
def test_job_that_waits_for_its_turn(tmp_path: Path, squeue: str):
    assert status(tmp_path, scontrol="JobState=PENDING", squeue=squeue) == ("running\n", "")
    assert "scancel" not in (tmp_path / "calls").read_text()
