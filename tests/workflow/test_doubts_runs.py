"""A run ends, or goes on with a warning, if its products might be wrong."""

import shutil
from pathlib import Path

from snake import Workflow


def test_exposure_that_is_given_twice(work: Workflow):
    first, *_ = sorted((work.folder / "data").iterdir())
    copy = Path(shutil.copy(first, first.with_name(f"old_{first.name}")))
    before = work.products
    stopped = work.run()
    assert stopped.status == 1
    count = sum(first.stem in row["exposure_names"] for row in work.sources)
    doubt = "exposures that are given twice, under two names, would be in products twice "
    doubt += f"({count} slits): data/{first.name} and data/{copy.name}; leave one of each out"
    assert doubt in stopped.text
    assert stopped.text.endswith("; or set 'on_doubt: warn' to go on nevertheless\n")
    assert work.products == before
    going_on = work.run("report", on_doubt="warn")
    assert going_on.status == 0
    assert f"  warning: {doubt}" in going_on.text.partition("remark")[2]
    assert doubt in (work.folder / "results" / "report.html").read_text()
    copy.unlink()
    work.make()
    # Nor does an earlier run's remark appear again.
    assert (work.folder / "results" / "remarks.tsv").read_text().count("\n") == 1
