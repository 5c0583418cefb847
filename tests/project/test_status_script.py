"""What the scripts of the profiles make of Slurm's answers, without a Slurm."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
import yaml
from snake import ROOT

PROFILES = ROOT / "profiles"


def stand_in(folder: Path, **scripts: str) -> dict[str, str]:
    """Make an environment whose commands run these scripts, and note each call."""
    commands = folder / "bin"
    commands.mkdir()
    for name, script in scripts.items():
        path = commands / name.replace("_", "-")
        path.write_text(f'#!/bin/sh\necho {name} "$@" >> calls\n{script}\n')
        path.chmod(0o755)
    return {"PATH": f"{commands}:{os.defpath}", "SLURM_JOB_ID": "7"}


def status(folder: Path, **answers: str) -> tuple[str, str]:
    """Run the status script on job 7, in a folder, with commands that print these answers."""
    (folder / "logs" / "cluster").mkdir(parents=True)
    prints = {name: f"printf '%s' '{text}'" for name, text in answers.items()}
    environment = stand_in(folder, **{"sacct": "", "scancel": ""} | prints)
    (folder / "my clone").symlink_to(ROOT)
    environment["EXP_TO_SOURCE"] = str(folder / "my clone")
    profile = yaml.safe_load((PROFILES / "slurm-generic" / "profile.yaml").read_text())
    done = subprocess.run(
        f"{profile['cluster-generic-status-cmd']} '7'",
        cwd=folder, env=environment, shell=True, capture_output=True, text=True, check=True,
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


def test_jobs_of_an_allocation_that_outlast_its_time_limit(tmp_path: Path):
    """They are lost; the allocation goes on."""
    run = (
        "trap '' TERM; mkdir -p work/results; sleep 1; echo > work/results/made; echo; exec sleep 9"
    )
    end = "date --date='31 seconds' +%FT%T"
    environment = stand_in(tmp_path, exp_to_source=run, squeue=end, scontrol="")
    with subprocess.Popen(
        ["bash", PROFILES / "slurm" / "run.sbatch", "work"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True,
    ) as script:  # fmt: skip
        assert script.stdout
        script.stdout.readline()
        script.send_signal(signal.SIGUSR1)
        assert "out of time; the job goes back into the queue (turn 2)" in script.stdout.read()
    assert script.returncode == 0
    assert (tmp_path / "calls").read_text().endswith("\nscontrol requeue 7\n")
