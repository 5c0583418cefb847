"""What several files of runs share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from snake import Workflow

from exp_to_source.simulate.exposures import Simulation, simulate

DAY = 86400


@pytest.fixture(scope="module", autouse=True)
def fixed_date() -> Iterator[None]:
    """Products of several runs are equal byte for byte."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        yield


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A finished run on three exposures of five sources, and one more exposure set aside.

    The first has a source that no other has, and sources that others have too; all have 61. They
    are a day old.
    """
    work = Workflow(tmp_path_factory.mktemp("finished") / "work", {"exposures": "data"})
    paths = simulate(Simulation(exposures=4, overlap="partial", shape=(4, 8)), work.folder / "data")
    for path in paths:
        os.utime(path, (path.stat().st_mtime - DAY,) * 2)
    (work.folder / "aside").mkdir()
    paths[1].rename(work.folder / "aside" / paths[1].name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        jobs = work.make()
    assert jobs == {"index_exposure": 3, "list_sources": 1, "gather_source": 5}
    assert len(work.products) == 5
    return work


@pytest.fixture
def work(finished: Workflow, tmp_path: Path) -> Workflow:
    """A copy of the finished run, times and all."""
    return finished.copy(tmp_path / "work")
