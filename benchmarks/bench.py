"""Measure the workflow against the official path and `cp`, on the same files in one run."""

import argparse
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from growth import extrapolate
from inputs import ROOT, Size, exposure_files, parse_size
from runs import Bench
from tables import report

from exp_to_source import __version__

HERE = ROOT / "benchmarks"
#: Sizes that end in 25 minutes, all together; the others.
DEFAULT = "mos-6x15 mos-2x60 mos-6x60 flight-6x60 fs-12x5 wfss-4x500 list-20x5000"
MORE = (
    "mos-12x200 flight-36x60 wfss-4x125 wfss-8x2000-10x100 list-20x1000 list-100x5000 "
    "list-20x20000 list-20x50000"
)
#: Lists with more products than this are measured once: they take minutes.
MANY = 10_000
PACKAGES = ("snakemake", "stdatamodels", "jwst", "asdf", "astropy")


def main() -> None:
    """Read the command line, measure each size, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add(
        "--sizes",
        nargs="+",
        default=[DEFAULT],
        metavar="SIZE",
        help=f"mode-ExS[-RxC], exposures x sources [- shape of the cut-outs] (default: {DEFAULT}); "
        f"'all' adds {MORE}",
    )
    add("--runs", type=int, default=3, help="how often each of our figures is measured (3)")
    add("--gathers", type=int, default=20, help="sources whose gather is measured alone (20)")
    add(
        "--official-limit",
        type=int,
        default=2000,
        help="slits, in all exposures together, above which the official path is not run (2000)",
    )
    add(
        "--elsewhere",
        type=Path,
        default=Path("/dev/shm"),
        help="folder on another file system, for the results of some runs (/dev/shm: memory)",
    )
    add(
        "--next",
        type=Path,
        metavar="FOLDER",
        help="folder of another release of the package stdatamodels, with which the official path "
        "is measured, too",
    )
    add("--add", action="store_true", help="keep the sizes that the results have already")
    add("--data", type=Path, default=HERE / "data", help="where exposures are kept")
    add("--results", type=Path, default=HERE / "results", help="where results are written")
    arguments = parser.parse_args()
    words = " ".join(arguments.sizes).replace("all", f"{DEFAULT} {MORE}").split()
    try:
        sizes = {name: parse_size(name) for name in dict.fromkeys(words)}
    except ValueError as error:
        parser.error(str(error))

    start = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {what}", file=sys.stderr, flush=True)

    say("simulating what is not there yet")
    simulated = [size for size in sizes.values() if size.mode != "list"]
    files = exposure_files(simulated, arguments.data.resolve())
    results: dict[str, Any] = {
        "machine": describe_machine(),
        "versions": {name: version(name) for name in PACKAGES}
        | {"python": platform.python_version(), "exp_to_source": __version__},
        "options": {key: getattr(arguments, key) for key in ("runs", "gathers", "official_limit")}
        | {"elsewhere": str(arguments.elsewhere), "many": MANY},
        "sizes": {},
    }
    if arguments.add:
        earlier = json.loads((arguments.results / "results.json").read_text())
        results["sizes"] = earlier["sizes"]
    warm_up(files, arguments, say)
    for name, size in sizes.items():
        results["sizes"][name] = measure_size(name, size, files.get(size, []), arguments, say)
        extrapolate(results["sizes"])
        write_results(results, arguments.results)
    from plots import plot_all

    plot_all(results["sizes"], arguments.results)
    say(f"done: {arguments.results}")


def warm_up(files: dict[Size, list[Path]], arguments: argparse.Namespace, say: Any) -> None:
    """Run all of one exposure, the first of the smallest size, without measuring."""
    if files:
        say("warming up")
        size = min(files, key=lambda size: size.sources)
        one = size._replace(exposures=1)
        with Bench(one, arguments.data.resolve() / "work", 1, 1, say) as bench:
            bench.warm_up(files[size][:1])


def measure_size(
    name: str, size: Size, files: list[Path], arguments: argparse.Namespace, say: Any
) -> dict[str, Any]:
    """Measure all of one size."""
    work = arguments.data.resolve() / "work"
    is_list = size.mode == "list"
    runs = 1 if is_list and size.sources > MANY else arguments.runs
    with Bench(size, work, runs, arguments.gathers, lambda what: say(f"{name}: {what}")) as bench:
        if is_list:
            return bench.measure_list()
        folder = arguments.elsewhere
        is_other = folder.is_dir() and folder.stat().st_dev != work.stat().st_dev
        official = size.slits <= arguments.official_limit
        return bench.measure_all(files, official, folder if is_other else None, arguments.next)


def describe_machine() -> dict[str, Any]:
    """Tell what the figures were measured on, and how busy it was before."""
    with open("/proc/cpuinfo") as file:
        models = [text.partition(": ")[2].strip() for text in file if "model name" in text]
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": pages,
        "kernel": f"{platform.system()} {platform.release()}",
        "load_before": os.getloadavg()[0],
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def write_results(results: dict[str, Any], folder: Path) -> None:
    """Write results as JSON and as tables."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / "results.md").write_text(report(results))


if __name__ == "__main__":
    main()
