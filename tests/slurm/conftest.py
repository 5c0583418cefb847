"""One Slurm for all tests of this folder, or a loud word that there is none."""

from collections.abc import Iterator

import pytest
from four_nodes import NoSlurmError, Slurm, four_nodes
from snake import ROOT

REASON = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def slurm(request: pytest.FixtureRequest) -> Iterator[Slurm]:
    """A Slurm of four nodes."""
    try:
        if not (ROOT / ".venv-slurm" / "bin" / "snakemake").exists():
            raise NoSlurmError("its executors are not installed: make slurm")
        with four_nodes() as slurm:
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
