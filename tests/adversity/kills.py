"""Kill runs on exposures of mixed eras and modes at random moments, and restart them.

    python tests/adversity/kills.py --kills 60

Ends with exit status 0 where no product was ever torn, and all results are those of undisturbed
runs, byte by byte.
"""

import argparse
import gzip
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "scripts")]

from disturbed import disturb, results_of  # noqa: E402
from snake import Workflow  # noqa: E402

from exp_to_source.simulate.exposures import Simulation, simulate  # noqa: E402


def simulated(folder: Path) -> Iterator[Path]:
    """Folders of simulated exposures: two programs of MOS, and grism exposures of two orders."""
    for program, version in ((10006, "1.14.0"), (10007, "3.0.0")):
        simulate(
            Simulation(program=program, version=version, sources=8, background=2, shape=(4, 8)),
            folder / "mos",
        )
    yield folder / "mos"
    grism = Simulation(mode="niriss-wfss", sources=8, orders=(1, 2), shape=(4, 8))
    simulate(grism, folder / "niriss-wfss")
    yield folder / "niriss-wfss"


def real(data: Path, folder: Path) -> Iterator[Path]:
    """Folders of exposures of a mode, of all eras, and of those with shared WCSs."""
    by_mode: dict[str, list[Path]] = {}
    for path in sorted([*data.rglob("*_cal.fits"), *data.rglob("*_cal.fits.gz")]):
        by_mode.setdefault(path.parent.name, []).append(path)
    for mode, paths in by_mode.items():
        target = folder / f"real-{mode}"
        target.mkdir(parents=True)
        for number, path in enumerate(paths, 1):
            content = path.read_bytes()
            # Exposures of several eras have the same names.
            name = re.sub("_0000[0-9]_", f"_{number:05}_", path.name.removesuffix(".gz"))
            packed = path.suffix == ".gz"
            (target / name).write_bytes(gzip.decompress(content) if packed else content)
        yield target


def main() -> None:
    """Read the command line, kill runs, tell what became of them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--data",
        type=Path,
        default=HERE.parent / "data",
        help="folder of real exposures, at any depth, compressed or not",
    )
    arguments = parser.parse_args()
    os.environ["SOURCE_DATE_EPOCH"] = "1700000000"
    with tempfile.TemporaryDirectory(prefix="kills") as temporary:
        folder = Path(temporary)
        sets = [*simulated(folder / "data"), *real(arguments.data, folder / "data")]
        kills = -(-arguments.kills // len(sets))
        for number, data in enumerate(sets):
            whole = Workflow(folder / f"{data.name} undisturbed", {"exposures": str(data)})
            whole.make()
            expected = results_of(whole)
            work = Workflow(folder / data.name, whole.config)
            victims = disturb(work, expected, kills, arguments.seed + number)
            work.run("--unlock")
            work.make()
            if results_of(work) != expected:
                sys.exit(f"{data.name}: results differ after {victims}")
            told = ", ".join(f"{victim} {count}" for victim, count in Counter(victims).items())
            print(
                f"{data.name}: {len(victims)} kills ({told}), {len(whole.products)} products equal"
            )


if __name__ == "__main__":
    main()
