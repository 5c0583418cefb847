"""Jobs run in the environments of their rules, if these are requested.

A conda that solves environments needs its channels; this one takes its place: it makes environments
of the present Python, which record what they run.
"""

import os
import stat
import sys
from pathlib import Path

import pytest
from snake import ROOT, Workflow

from exp_to_source.simulate.exposures import Simulation, simulate

CONDA = """#!/usr/bin/env bash
case "$*" in
    "info --json") echo '{"conda_prefix": "ROOT", "platform": "linux-64"}' ;;
    --version) echo "conda 25.1.0" ;;
    "config --get channel_priority --json") echo '{"get": {"channel_priority": "strict"}}' ;;
    "env create "*)
        prefix=${@: -1}
        prefix=${prefix#--prefix=}
        mkdir -p "$prefix/bin"
        printf '#!/bin/sh\\necho "$@" >>"%s/used"\\nexec PYTHON "$@"\\n' "$prefix" \\
            >"$prefix/bin/python"
        chmod +x "$prefix/bin/python"
        ;;
esac
"""


@pytest.fixture
def conda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of environments, with a conda in front of all commands."""
    root = tmp_path / "conda"
    (root / "bin").mkdir(parents=True)
    program = root / "bin" / "conda"
    program.write_text(CONDA.replace("ROOT", str(root)).replace("PYTHON", sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (root / "bin" / "activate").write_text('export PATH="$1/bin:$PATH"\n')
    monkeypatch.setenv("PATH", f"{root / 'bin'}:{os.environ['PATH']}")
    return tmp_path / "work" / ".snakemake" / "conda"


def used(environments: Path) -> str:
    """Commands that ran in the environments."""
    return "".join(path.read_text() for path in environments.glob("*/used"))


def test_environments_are_used_if_they_are_requested(conda: Path, tmp_path: Path):
    """Unless the settings name another Python."""
    simulate(Simulation(exposures=1, source_ids=(60, 61), shape=(4, 8)), tmp_path / "data")
    work = Workflow(tmp_path / "work", {"exposures": tmp_path / "data"})
    work.make("--sdm=conda", "results/sources.tsv", python=sys.executable)
    assert f"{ROOT}/scripts/" not in used(conda)
    assert work.make("--sdm=conda", "--forceall")["gather_source"] == 2
    for command in ("start.py index", "gather_source.py"):
        assert f"{ROOT}/scripts/exp_to_source/bin/{command} " in used(conda)
    assert ".list_sources.py" in used(conda)
