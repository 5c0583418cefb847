"""Time the quick looks of many small products, in this clone and in another one."""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Read the command line, simulate, measure, and print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--other", type=Path, metavar="CLONE", help="another clone, whose times are compared")
    add("--sources", type=int, default=300, help="number of products (%(default)s)")
    add("--exposures", type=int, default=2, help="exposures of each (%(default)s)")
    add("--shape", nargs=2, default=["8", "24"], help="rows and columns (8 24)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, work = Path(folder, "data"), Path(folder, "work")
        program = [sys.executable, ROOT / "scripts" / "exp-to-source"]
        simulate = [*program, "simulate", "--realistic", data]
        numbers = [f"--{name}={getattr(arguments, name)}" for name in ("sources", "exposures")]
        subprocess.run(
            [*simulate, *numbers, "--shape", *arguments.shape], check=True, stdout=subprocess.PIPE
        )
        print(f"products       {run(ROOT, work, data):6.1f} s")
        for clone in filter(None, (arguments.other, ROOT)):
            shutil.rmtree(work / "results" / "quicklook", ignore_errors=True)
            print(
                f"their pictures {run(clone, work, data, 'quicklook'):6.1f} s  {clone}", flush=True
            )


def run(clone: Path, work: Path, data: Path, *targets: str) -> float:
    """Seconds that a run takes."""
    start = time.perf_counter()
    subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"),
            *("--snakefile", clone / "Snakefile", "--directory", work, *targets),
            *("--config", f"exposures={data}"),
        ],
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
