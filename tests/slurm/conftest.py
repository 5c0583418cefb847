"""One Slurm for all tests of this folder, or a loud word that there is none."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from one_node import NoSlurmError, Slurm, one_node
from snake import ROOT

REASON = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def slurm(request: pytest.FixtureRequest) -> Iterator[Slurm]:
    """A Slurm of one node; its socket needs a short path."""
    try:
        if not (ROOT / ".venv-slurm" / "bin" / "snakemake").exists():
            raise NoSlurmError("its executors are not installed: make slurm")
        with tempfile.TemporaryDirectory(prefix="slurm") as folder, one_node(Path(folder)) as slurm:
            yield slurm
    except NoSlurmError as reason:
        request.config.stash[REASON] = str(reason)
        pytest.skip(f"no Slurm: {reason}")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say in red what was not tested."""
    if reason := config.stash.get(REASON, None):
        terminalreporter.section("NOTHING WAS TESTED ON SLURM", sep="!", red=True, bold=True)
        terminalreporter.write_line(reason, red=True)
