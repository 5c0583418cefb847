"""Measure the ways onto a cluster on a Slurm of four nodes here, beside a run without it.

Needs root, Debian's slurm-wlm and munge, and `make slurm`. Prints a table for each size.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from inputs import ROOT, Size, exposure_files, parse_size

sys.path.insert(0, str(ROOT / "tests" / "slurm"))

from four_nodes import Slurm, four_nodes

SNAKEMAKE = ROOT / ".venv-slurm" / "bin" / "snakemake"
RUN = [str(SNAKEMAKE), "--snakefile", str(ROOT / "Snakefile")]
#: There is no accounting, so the plugin has to ask the queue.
WAYS = {
    "local": [*RUN, "--cores", "2"],
    "allocation": ["sbatch", "--parsable", "--cpus-per-task=2", "--mem=4G", "--output=/dev/null"],
    "slurm-generic": [*RUN, "--workflow-profile", "slurm-generic"],
    "slurm": [*RUN, "--workflow-profile", "slurm", "--slurm-status-command", "squeue"],
}


def main() -> None:
    """Read the command line, measure each size, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--sizes", nargs="+", type=parse_size, default=[parse_size("mos-6x60")], metavar="SIZE")
    add("--ways", nargs="+", choices=WAYS, default=[*WAYS], help="'local' is always measured")
    add("--runs", type=int, default=3, help="how often; the median counts (3)")
    add("--data", type=Path, default=ROOT / "benchmarks" / "data", help="where exposures are kept")
    arguments = parser.parse_args()
    os.environ["SOURCE_DATE_EPOCH"] = "1700000000"
    files = exposure_files(arguments.sizes, arguments.data.resolve())
    ways = dict.fromkeys(["local", *arguments.ways])
    with four_nodes() as slurm:
        for size in arguments.sizes:
            print_table(size, files[size], list(ways), arguments.runs, slurm)


def print_table(
    size: Size, exposures: list[Path], ways: list[str], runs: int, slurm: Slurm
) -> None:
    """Measure one size in each way; products must be those of the local run, byte by byte."""
    print(f"\n{size.exposures} {size.mode} exposures of {size.sources} sources, {runs} runs\n")
    print("| way | cluster jobs | wall | to local | jobs of a rerun |")
    print("| --- | ---: | ---: | ---: | ---: |", flush=True)
    whole, local = {}, 0.0
    for way in ways:
        walls = []
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as folder:
                work, before = Path(folder), len(slurm.ended())
                walls.append(run_once(way, work, exposures, slurm))
                jobs = len(slurm.ended()) - before
                products = read_products(work)
                whole = whole or products
                if products != whole or len(products) != size.sources:
                    sys.exit(f"slurm.py: products of {way} are not those of the local run")
                run_once(way, work, exposures, slurm)
                again = len(slurm.ended()) - before - jobs
        wall = statistics.median(walls)
        local = local or wall
        print(f"| {way} | {jobs} | {wall:.1f} s | {wall / local:.2f} | {again} |", flush=True)


def run_once(way: str, work: Path, exposures: list[Path], slurm: Slurm) -> float:
    """Run the workflow; its wall time, from the command to the end of its last job."""
    command = list(WAYS[way])
    command += ["profiles/slurm/run.sbatch"] if way == "allocation" else ["--directory"]
    command += [str(work), "--config", f"exposures={[str(path) for path in exposures]}"]
    environment = os.environ | {"SNAKEMAKE": str(SNAKEMAKE)}
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    while slurm.queue():
        time.sleep(0.2)
    wall = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"slurm.py: {way} failed:\n{done.stdout}{done.stderr}")
    return wall


def read_products(work: Path) -> dict[str, bytes]:
    """Content of the products by name."""
    return {path.name: path.read_bytes() for path in (work / "results" / "products").glob("*")}


if __name__ == "__main__":
    main()
