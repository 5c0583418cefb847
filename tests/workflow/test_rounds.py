"""When Snakemake looks for jobs to start."""

from pathlib import Path

from snake import Workflow


def test_snakemake_looks_for_jobs_only_when_one_has_ended(tmp_path: Path):
    """And not once a second for its limit of jobs a second, unless the user has set one."""
    data, python = tmp_path / "data", tmp_path / "python"
    data.mkdir()
    for number in (1, 2):
        (data / f"jw10006010001_03101_0000{number}_nrs1_cal.fits").touch()
    # The first job takes more than a second.
    python.write_text("#!/bin/sh\n[ -e begun ] || { touch begun; sleep 1.5; }\nexit 1\n")
    python.chmod(0o755)

    def looks_in_vain(folder: str, *options: str) -> int:
        """How often there were jobs to start, and none was, as the one core was busy."""
        work = Workflow(tmp_path / folder, {"exposures": data, "python": python})
        text = work.run("--verbose", "--cores=1", *options).text
        return text.count("Ready jobs: ") - text.count("Selected jobs: 1\n")

    assert looks_in_vain("one") == 0
    assert looks_in_vain("two", "--max-jobs-per-timespan=50/1s") > 0
