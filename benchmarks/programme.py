"""Measure a whole programme, from exposures to the report: time, memory and disk of each stage.

    .venv/bin/python benchmarks/programme.py flight-36x60

Each stage is a run of its own in the same folder, on all cores; spectra are made offline. Nothing
else may run: CPU is that of the whole machine, as forks are not children of the run.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import psutil
from inputs import ROOT, exposure_files, parse_size
from measure import measure
from spectra import Largest

#: Targets in their order, and what they make.
STAGES = {
    "all": "products",
    "verify": "verification",
    "spec3": "spectra",
    "quicklook": "quick looks",
    "report": "report",
}


def main() -> None:
    """Read the command line, measure each size, print its table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("sizes", nargs="*", type=parse_size, default=[parse_size("flight-36x60")], metavar="SIZE")
    add("--data", type=Path, default=ROOT / "benchmarks" / "data", help="where exposures are kept")
    add("--stages", nargs="+", choices=STAGES, default=list(STAGES), help="those to measure (all)")
    arguments = parser.parse_args()
    data = arguments.data.resolve()
    files = exposure_files(arguments.sizes, data)
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory(dir=data) as folder:
            exposures = Path(folder, "exposures")
            exposures.mkdir()
            for path in files[size]:
                os.link(path, exposures / path.name)
            what = f"{size.exposures} exposures of {size.sources} sources"
            print(f"\n{what}, {disk(exposures):.2f} GB:\n")
            print("| stage | wall | CPU | largest process | disk |")
            print("| --- | ---: | ---: | ---: | ---: |")
            for target in arguments.stages:
                print(row(target, Path(folder)), flush=True)


def row(target: str, folder: Path) -> str:
    """Measure a stage; its row of the table."""
    config = [f"exposures={folder / 'exposures'}", "offline=true"]
    command = [sys.executable, "-m", "snakemake", "--directory", str(folder / "work"), target]
    before, results = busy(), folder / "work" / "results"
    disk_before = disk(results)
    with Largest() as largest:
        measured = measure([*command, "--config", *config], str(ROOT), str(folder / "log"))
    cells = (
        *(f"{measured['wall']:.0f} s", f"{busy() - before:.0f} s"),
        *(f"{largest.memory / 1e6:.0f} MB", f"{disk(results) - disk_before:.2f} GB"),
    )
    return f"| {STAGES[target]} | {' | '.join(cells)} |"


def busy() -> float:
    """CPU that all other processes of the machine have taken, in seconds."""
    times, own = psutil.cpu_times(), psutil.Process().cpu_times()
    return float(times.user + times.nice + times.system - own.user - own.system)


def disk(folder: Path) -> float:
    """Size of all files in a folder and below, in gigabytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9


if __name__ == "__main__":
    main()
