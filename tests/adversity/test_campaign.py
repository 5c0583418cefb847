"""A small part of the campaign in `adversity`, whose judge shares no code with the project.

EXP_TO_SOURCE_MUTANTS sets the number of mutants (default 70, with every mutator among them).
"""

import os
import subprocess
import sys
from pathlib import Path

MUTANTS = Path(__file__).parent / "mutants.py"
COUNT = os.environ.get("EXP_TO_SOURCE_MUTANTS", "70")


def test_no_mutant_differs_silently_or_opens_nowhere(tmp_path: Path):
    # Grism exposures are the ones that jwst opens fastest.
    command = [sys.executable, str(MUTANTS), "--count", COUNT, "--seed", "2", "--workers", "1"]
    command += ["--mode", "miri-wfss", "--slits", "1"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path)], capture_output=True, text=True, check=False
    )
    findings = tmp_path / "findings.md"
    assert done.returncode == 0, done.stderr + (findings.read_text() if findings.exists() else "")
