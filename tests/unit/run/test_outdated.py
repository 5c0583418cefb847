"""Files that must be made again, by their times."""

import os
from pathlib import Path

import pytest

from exp_to_source.run.outdated import is_absent_or_older


@pytest.mark.parametrize(
    ("times", "outdated"),
    [
        ({}, True),
        ({"source": 5}, True),
        ({"file": 5}, False),
        ({"file": 5, "source": 5}, False),
        ({"file": 5, "source": 6}, True),
        ({"file": 5, "source": 4, "other": 6}, True),
    ],
)
def test_a_file_is_absent_or_older_than_a_source(
    tmp_path: Path, times: dict[str, int], outdated: bool
):
    for name, time in times.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, ns=(time, time))
    sources = [str(tmp_path / name) for name in ("source", "other")]
    assert is_absent_or_older(str(tmp_path / "file"), sources) is outdated
