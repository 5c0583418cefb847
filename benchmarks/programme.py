"""Measure a whole programme, from exposures to the report: time, memory and disk of each stage.

    .venv/bin/python benchmarks/programme.py flight-36x60

Each stage is a run of its own in the same folder, on all cores; spectra are made offline. Nothing
else should run.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from inputs import ROOT, exposure_files, parse_size
from measure import measure

#: Targets in their order, what they make, and in which folder of results.
STAGES = {
    "all": ("products", "products"),
    "verify": ("verified", "verify"),
    "spec3": ("spectra", "spec3"),
    "report": ("report with quick looks", "quicklook"),
}


def main() -> None:
    """Read the command line, measure each size, print its table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("sizes", nargs="*", type=parse_size, default=[parse_size("flight-36x60")], metavar="SIZE")
    add("--data", type=Path, default=ROOT / "benchmarks" / "data", help="where exposures are kept")
    arguments = parser.parse_args()
    data = arguments.data.resolve()
    files = exposure_files(arguments.sizes, data)
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory(dir=data) as folder:
            exposures = Path(folder, "exposures")
            exposures.mkdir()
            for path in files[size]:
                os.link(path, exposures / path.name)
            print(f"\n{size.exposures} exposures of {size.sources} sources, {disk(exposures)}:\n")
            print("| stage | wall | CPU | largest process | disk |")
            print("| --- | ---: | ---: | ---: | ---: |")
            for target in STAGES:
                print(row(target, Path(folder)), flush=True)


def row(target: str, folder: Path) -> str:
    """Measure a stage; its row of the table."""
    config = [f"exposures={folder / 'exposures'}", "offline=true"]
    command = [sys.executable, "-m", "snakemake", "--directory", str(folder / "work"), target]
    measured = measure([*command, "--config", *config], str(ROOT), str(folder / "log"))
    what, place = STAGES[target]
    cells = (
        *(f"{measured['wall']:.0f} s", f"{measured['cpu']:.0f} s"),
        *(f"{measured['memory'] / 1e6:.0f} MB", disk(folder / "work" / "results" / place)),
    )
    return f"| {what} | {' | '.join(cells)} |"


def disk(folder: Path) -> str:
    """Size of all files in a folder and below."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{size / 1e9:.2f} GB"


if __name__ == "__main__":
    main()
