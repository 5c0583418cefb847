"""What a run proves, and what it cannot."""

import re
from pathlib import Path

import pytest
from snake import Workflow

from exp_to_source.simulate.exposures import Simulation, simulate


@pytest.fixture
def data(tmp_path: Path) -> list[Path]:
    what = {"mode": "niriss-wfss", "shape": (4, 8)}
    return simulate(Simulation(exposures=2, sources=2, **what), tmp_path / "data")


@pytest.fixture
def work(tmp_path: Path, data: list[Path]) -> Workflow:
    return Workflow(tmp_path / "work", {"exposures": data[0].parent})


def test_skipped_exposures_are_not_proved(work: Workflow, data: list[Path]):
    data[1].write_bytes(data[1].read_bytes()[:5000])
    jobs = work.make("verify", on_bad_exposure="skip")
    assert jobs["fingerprint_exposure"] == 1
    assert (work.folder / "results" / "skipped.tsv").exists()


def test_products_that_cannot_be_proved_to_open(work: Workflow, data: list[Path]):
    """As their exposure does not open either; the run without verify knows nothing of it."""
    content = data[0].read_bytes()
    number = re.search(rb"(?<= offset: )\d+\.\d\d", content)
    assert number
    damaged = number[0].replace(b".", b"z")
    data[0].write_bytes(content[: number.start()] + damaged + content[number.end() :])
    work.make()
    result = work.run("verify")
    assert result.status == 1
    assert "could not be proved to open, as exposures of theirs do not open either" in result.text
