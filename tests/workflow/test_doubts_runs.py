"""A run ends, or goes on with a warning, if its products might be wrong."""

import shutil
from pathlib import Path

from snake import Workflow

from exp_to_source.simulate.exposures import Simulation, simulate

#: A single source.
ONE = {"sources": 1, "background": 0, "virtual": 0, "shape": (4, 8)}


def test_exposure_that_is_given_twice(tmp_path: Path):
    folder = tmp_path / "data"
    first, _ = simulate(Simulation(exposures=2, **ONE), folder)
    copy = shutil.copy(first, folder / f"old_{first.name}")
    work = Workflow(tmp_path / "work", {"exposures": folder})
    stopped = work.run()
    assert stopped.status == 1
    doubt = "exposures that are given twice, under two names, would be in products twice (1 slit)"
    assert f"{doubt}: {first} and {copy}; leave one of each out" in stopped.text
    assert stopped.text.endswith("; or set 'on_doubt: warn' to go on nevertheless\n")
    assert not (work.folder / "results" / "products").exists()
    going_on = work.run("all", "verify", "report", on_doubt="warn")
    assert going_on.status == 0
    assert f"  warning: {doubt}: {first} and {copy}; leave" in going_on.text.partition("remark")[2]
    assert doubt in (work.folder / "results" / "report.html").read_text()
    copy.unlink()
    work.make()
    # Nor does an earlier run's remark appear again.
    assert (work.folder / "results" / "remarks.tsv").read_text().count("\n") == 1
