"""Runs that are started from Python."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import exp_to_source
from exp_to_source.errors import InputError
from exp_to_source.simulate.exposures import Simulation, simulate


def test_run_returns_the_source_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """In a notebook, whose backend of matplotlib is not installed here; a folder like an option."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "module://not_installed")
    simulate(Simulation(exposures=2, sources=3, shape=(4, 8)), Path("data"))
    sources = exp_to_source.run(
        Path("data").glob("*_cal.fits"),
        Path("-work"),
        ["all", "quicklook"],
        ["--cores", "1"],
        sources=np.array([59, 61]),
        spec3={"extract_1d": {"skip": False}},
    )
    assert list(sources["source_id"]) == [59, 61] and str(sources["ra"].unit) == "deg"
    assert "2 new, 1 left out by choice" in capsys.readouterr().err
    results = Path("-work", "results")
    for folder in ("products", "quicklook"):
        assert len(list((results / folder).iterdir())) == 2
    summary = json.loads((results / "summary.json").read_text(encoding="utf-8"))
    # Not as text, as those of a command line.
    assert summary["settings"]["spec3"] == {"extract_1d": {"skip": False}}
    assert not list(Path("-work").glob(".settings-*"))
    # An error of several lines.
    with pytest.raises(InputError, match=r"(?s)^MissingRuleException.*\nNo rule .* absent"):
        exp_to_source.run(Path("data"), "-work", "absent", "--dry-run")
    assert len(exp_to_source.run(Path("data"), "new", (), "--version")) == 0


def test_faults_are_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(InputError, match=r"unknown key 'source' \(did you mean 'sources'\?\)"):
        exp_to_source.run(tmp_path, tmp_path / "work", source=[61])
    with pytest.raises(InputError, match=r"--configfile=a\.yaml would have no effect"):
        exp_to_source.run(directory=tmp_path / "work", options="--configfile=a.yaml")
    assert not (tmp_path / "work").exists()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"correct the setting 'exposures'$"):
        exp_to_source.run(tmp_path / "absent_*.fits", tmp_path / "work")
    assert "absent_*.fits" in capsys.readouterr().err
    with pytest.raises(OSError, match=f"'{tmp_path}/file'"):
        exp_to_source.run(tmp_path, tmp_path / "file")
    with pytest.raises(InputError, match="the selection is empty; leave it out to have all"):
        exp_to_source.run(tmp_path, tmp_path / "work", sources=np.array([], int))


def test_snakemake_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """By the system, where a notebook's memory is limited."""
    command = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    monkeypatch.setattr("exp_to_source.workflow.run.snakemake_command", lambda _: command)
    with pytest.raises(InputError, match=r"killed \(SIGKILL\), perhaps for want of memory"):
        exp_to_source.run(directory=tmp_path)
