"""A small part of the campaign in `adversity`, whose judge shares no code with the project."""

import subprocess
import sys
from pathlib import Path

MUTANTS = Path(__file__).parent / "mutants.py"


def test_no_mutant_differs_silently_or_opens_nowhere(tmp_path: Path):
    # Grism exposures are the ones that jwst opens fastest.
    command = [sys.executable, str(MUTANTS), "--count", "150", "--workers", "1"]
    command += ["--mode", "miri-wfss", "--slits", "1"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path)], capture_output=True, text=True, check=False
    )
    findings = tmp_path / "findings.md"
    assert done.returncode == 0, done.stderr + (findings.read_text() if findings.exists() else "")
