"""Measure `snakemake spec3` against the official pipeline on the same association, offline.

    .venv/bin/python benchmarks/spectra.py mos-3x30 wfss-3x40

Wall time from exposures to spectra: the pipeline in one process, which regroups them, too; the
workflow from nothing, on all cores; and one product in a process of its own, as without the process
that jobs fork from. Nothing else should run.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from inputs import ROOT, parse_size
from measure import measure

from exp_to_source.simulate.exposures import Simulation, simulate

OFFICIAL = """
import sys
sys.path.insert(0, sys.argv[2])
from exp_to_source.spec3.references import without_crds
with without_crds():
    from exp_to_source.spec3.pipeline import without_references
    from jwst.pipeline import Spec3Pipeline
    Spec3Pipeline.call(
        sys.argv[1], save_results=True, configure_log=False, steps=without_references()
    )
"""

MODES = {"mos": "mos", "wfss": "nircam-wfss"}
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
MB = 1e6


def main() -> None:
    """Read the command line, measure each size, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("sizes", nargs="*", default=["mos-3x30", "wfss-3x40"], help="mode-ExS[-RxC]")
    add("--cores", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    print("| | official | official memory | workflow | ratio | job memory | one alone, CPU |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in arguments.sizes:
        with tempfile.TemporaryDirectory(prefix="spectra") as folder:
            print(row(name, Path(folder), arguments.cores), flush=True)


def row(name: str, folder: Path, cores: int) -> str:
    """Measure a size; its row of the table."""
    size = parse_size(name)
    what = {"mode": MODES[size.mode], "exposures": size.exposures, "sources": size.sources}
    options = {"shape": size.shape, "association": True, "realistic": True}
    simulate(Simulation(**what, **options), folder / "data")
    (association,) = (folder / "data").glob("*_asn.json")
    (folder / "official").mkdir()
    command = [sys.executable, "-c", OFFICIAL, str(association), str(ROOT / "scripts")]
    official = measure(["env", "OMP_NUM_THREADS=1", *command], str(folder / "official"), os.devnull)
    command = [str(SNAKEMAKE), "--snakefile", str(ROOT / "Snakefile"), "--cores", str(cores)]
    command += ["--directory", str(folder / "work"), "spec3", "--config"]
    command += [f"associations={association}", "offline=true"]
    with Largest("--folder") as largest:
        start = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wall = time.monotonic() - start
    product = sorted((folder / "work" / "results" / "products").iterdir())[0]
    script = str(ROOT / "scripts" / "exp-to-source")
    command = [sys.executable, script, "spec3", "--offline", str(product)]
    alone = measure(command, str(folder), os.devnull)
    shutil.rmtree(folder / "work")
    cells = [
        *(f"{official['wall']:.0f} s", f"{official['memory'] / MB:.0f} MB", f"{wall:.0f} s"),
        *(f"{official['wall'] / wall:.1f}", f"{largest.memory / MB:.0f} MB"),
        f"{alone['cpu']:.1f} s",
    ]
    return f"| {name}, {cores} cores | {' | '.join(cells)} |"


class Largest(threading.Thread):
    """Largest resident memory of the processes that start meanwhile, with a word in commands."""

    def __init__(self, word: str = "") -> None:
        super().__init__(daemon=True)
        self.word, self.memory, self.ended = word, 0, threading.Event()
        self.others = set(psutil.pids())

    def __enter__(self) -> "Largest":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.join()

    def run(self) -> None:
        """Look again and again."""
        while not self.ended.wait(0.2):
            for process in psutil.process_iter(["cmdline", "memory_info"]):
                words = process.info["cmdline"] or []
                is_new = process.pid not in self.others
                if is_new and any(word.endswith(self.word) for word in words):
                    self.memory = max(self.memory, process.info["memory_info"].rss)


if __name__ == "__main__":
    main()
