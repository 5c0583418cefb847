"""What tests of runs have in common."""

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working directory with two exposures and a catalogue."""
    monkeypatch.chdir(tmp_path)
    for name in ("a_cal.fits", "b_cal.fits"):
        Path(name).write_bytes(b"x")
    Path("cat.csv").write_text("id\n1\n")
    return tmp_path
