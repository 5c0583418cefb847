"""What is measured of one size: copying, the official path, our steps, the whole workflow."""

import json
import os
import random
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inputs import PROGRAM, ROOT, SCRIPTS, Size, make_indices, scan
from measure import measure, summary

from exp_to_source.tables import read_sources

#: The profile does not have it.
PRINT_COMMANDS = ("--quiet=host", "--printshellcmds")
SHELL_COMMAND = "Shell command: "

#: What the shell commands of steps begin with, and what they import: that is to be told from what
#: they read of the exposures.
STEPS = {
    # A parser of arguments loads locale, for translated messages.
    "index_exposure": ("exp-to-source index ", (), "locale, exp_to_source.index.indexing"),
    "gather_source": ("exp-to-source gather ", ("-S", "-E"), "exp_to_source.gather.product"),
}
# As in jobs of the workflow.
os.environ.update(
    EXP_TO_SOURCE_PYTHON=sys.executable,
    PATH=f"{SCRIPTS}/exp_to_source/bin{os.pathsep}{os.environ['PATH']}",
)
#: The list is no shell command of the workflow.
LIST = [*PROGRAM, "list", "results/settings.json", "results/sources.tsv"]


class Bench:
    """Measures one size in a folder of its own, which is emptied before and after.

    Parameters
    ----------
    size : Size
        The size.
    work : pathlib.Path
        The folder.
    runs : int
        How often each of our figures is measured.
    gathers : int
        Of how many sources the gather is measured alone.
    say : callable
        Tells the user what is going on.
    """

    def __init__(
        self, size: Size, work: Path, runs: int, gathers: int, say: Callable[[str], None]
    ) -> None:
        self.size, self.work, self.runs, self.gathers, self.say = size, work, runs, gathers, say
        self.input, self.run, self.log = work / "input", work / "run", work / "log"
        self.result: dict[str, Any] = {
            "mode": size.mode,
            "exposures": size.exposures,
            "sources": size.sources,
            "shape": size.shape,
        }

    def __enter__(self) -> "Bench":
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.work)

    def warm_up(self, exposures: list[Path]) -> None:
        """Run all once, so that Python has compiled all modules before anything is measured."""
        self._copy(exposures)
        self._snakemake(2)
        self._changed()

    def measure_all(
        self,
        exposures: list[Path],
        official: bool,
        elsewhere: Path | None,
        stdatamodels: Path | None,
    ) -> dict[str, Any]:
        """Measure everything of exposures; official path and a single core where wanted.

        Cold runs also with the results in a folder on another file system, if they fit there, and
        the official path also with another stdatamodels, from the folder of this package.
        """
        self._copy(exposures)
        if official:
            self._official("official", [sys.executable])
        if official and stdatamodels:
            path = f"PYTHONPATH={stdatamodels.resolve()}"
            self._official("official_next", ["env", path, sys.executable])
        self._workflow_and_steps((1, 2) if official else (2,))
        self._reruns()
        # Products are a little larger than their exposures.
        if elsewhere and shutil.disk_usage(elsewhere).free > 1.5 * self.result["bytes"]:
            self._elsewhere(elsewhere)
        return self.result

    def measure_list(self) -> dict[str, Any]:
        """Measure the source list, and Snakemake with all products to do and with nothing to do."""
        make_indices(self.size, self.input, self.run / "results/index")
        self._snakemake(1, "results/sources.tsv")
        self.result["steps"] = {"list_sources": summary(self._list())}
        self._repeat("dry_run", lambda: self._snakemake(2, "--dry-run"))
        products = self.run / "results/products"
        products.mkdir()
        names = list(read_sources(str(self.run / "results/sources.tsv")))
        if len(names) != self.size.sources:
            sys.exit(f"the list has {len(names)} products of {self.size.sources} sources")
        for name in names:
            # Not empty: that stands for a product that could not be made.
            (products / f"{name}_cal.fits").write_bytes(b" ")
        self._repeat("nothing", self._nothing)
        return self.result

    def _repeat(self, name: str, action: Callable[[], dict[str, float]]) -> None:
        self.say(name)
        self.result[name] = summary([action() for _ in range(self.runs)])

    def _copy(self, exposures: list[Path]) -> None:
        """Measure ``cp`` of the inputs; the copies are what all others are run on."""
        paths = list(map(str, exposures))

        def copy() -> dict[str, float]:
            shutil.rmtree(self.input, ignore_errors=True)
            self.input.mkdir()
            return self._measure(["cp", *paths, str(self.input)])

        self._repeat("cp", copy)
        largest = 0
        for path in exposures:
            with path.open("rb") as file:
                *_, asdf = scan(file.fileno(), str(path))
            largest = max(largest, asdf.data_size)
        size = sum(path.stat().st_size for path in exposures)
        self.result |= {"bytes": size, "asdf_bytes": largest}

    def _official(self, name: str, python: list[str]) -> None:
        self.say(name)
        folder, report = self.work / "official", self.work / "official.json"
        folder.mkdir()
        # Once before, so that all is compiled, as it is for the workflow.
        imports = "import jwst.exp_to_source, stdatamodels.jwst.datamodels"
        self._measure([*python, "-c", imports])
        script = str(Path(__file__).with_name("official.py"))
        paths = sorted(map(str, self.input.iterdir()))
        measured = self._measure([*python, script, str(report), str(folder), *paths])
        products = len(list(folder.iterdir()))
        if products != self.size.sources:
            sys.exit(f"the official path made {products} products of {self.size.sources} sources")
        self.result[name] = measured | {"phases": json.loads(report.read_text())}
        shutil.rmtree(folder)

    def _workflow_and_steps(self, numbers_of_cores: tuple[int, ...]) -> None:
        """Measure cold runs, then each step with the commands that Snakemake printed."""
        self.say("cold")
        cold = {cores: [self._cold(cores) for _ in range(self.runs)] for cores in numbers_of_cores}
        self.result["cold"] = {str(cores): summary(runs) for cores, runs in cold.items()}
        commands = self._commands()
        products = len(list((self.run / "results/products").iterdir()))
        if products != self.size.sources:
            sys.exit(f"the workflow made {products} products of {self.size.sources} sources")
        self.say("steps")
        indexing = self._processes(commands["index_exposure"])
        listing = self._list()
        chosen = random.Random(0).sample(
            commands["gather_source"], min(self.gathers, self.size.sources)
        )
        gathering = self._processes(chosen)
        self.result["steps"] = {
            "index_exposure": summary(indexing),
            "list_sources": summary(listing),
            "gather_source": summary(gathering),
        }
        self.result["data_read"] = self._data_read()
        self.result["data_written"] = self._data_written(chosen, gathering)

    def _data_written(self, commands: list[str], gathering: list[dict[str, float]]) -> float:
        """Bytes that gathering some sources wrote, as a ratio to the bytes of their products."""
        words = (word for command in commands for word in shlex.split(command))
        sizes = [os.path.getsize(self.run / word) for word in words if word.endswith("_cal.fits")]
        written = sum(one["written"] for one in gathering) / len(gathering)
        return written / (sum(sizes) / len(sizes))

    def _elsewhere(self, place: Path) -> None:
        """Measure cold runs with the results in a folder of another place."""
        here = self.run
        with tempfile.TemporaryDirectory(dir=place) as folder:
            self.run = Path(folder) / "run"
            self._repeat("elsewhere", lambda: self._cold(2))
        self.run = here

    def _cold(self, cores: int) -> dict[str, float]:
        shutil.rmtree(self.run, ignore_errors=True)
        return self._snakemake(cores, *PRINT_COMMANDS)

    def _reruns(self) -> None:
        # The list that was measured wrote manifests that are newer than the products.
        self._snakemake(2)
        self._repeat("nothing", self._nothing)
        self._repeat("changed", self._changed)

    def _nothing(self) -> dict[str, float]:
        measured = self._snakemake(2)
        if "Nothing to be done" not in self.log.read_text():
            sys.exit("a rerun with nothing changed did something")
        return measured

    def _changed(self) -> dict[str, float]:
        """Change pixels of one slit in place, in the last exposure, and run again."""
        # Only here, as it takes long.
        import numpy as np
        from astropy.io import fits

        path = max(self.input.iterdir())
        with fits.open(path, mode="update") as hdus:
            pixels = hdus["SCI", 1 + self.size.sources // 2].data
            pixels[0, 0] = np.nan_to_num(pixels[0, 0]) + 1
        measured = self._snakemake(2, *PRINT_COMMANDS)
        made = len(self._commands()["gather_source"])
        if made != 1:
            sys.exit(f"a rerun with one slit changed made {made} products")
        return measured

    def _snakemake(self, cores: int, *options: str) -> dict[str, float]:
        """Run the workflow in its folder as users do."""
        config = ["--config", f"exposures={self.input}"]
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores)]
        flags = [option for option in options if option.startswith("-")]
        targets = [option for option in options if not option.startswith("-")]
        command += ["--directory", str(self.run), *flags, *config, "--", *targets]
        return self._measure(command, ROOT)

    def _commands(self) -> dict[str, list[str]]:
        """Shell commands that Snakemake printed in its last run, by step."""
        commands: dict[str, list[str]] = {step: [] for step in STEPS}
        for text in self.log.read_text().splitlines():
            for step, (words, *_) in STEPS.items():
                if text.startswith(SHELL_COMMAND + words):
                    commands[step].append(text.removeprefix(SHELL_COMMAND))
        return commands

    def _processes(self, commands: list[str]) -> list[dict[str, float]]:
        """Measure commands that are independent of each other, and of one kind."""
        runs = -(-self.runs // len(commands))
        return [self._shell(command) for _ in range(runs) for command in commands]

    def _list(self) -> list[dict[str, float]]:
        """Measure the source list, each time with no manifest there."""
        measured = []
        for _ in range(self.runs):
            shutil.rmtree(self.run / "results/manifests")
            measured.append(self._measure(LIST))
        return measured

    def _shell(self, command: str) -> dict[str, float]:
        return self._measure(["bash", "-c", f"exec {command}"])

    def _data_read(self) -> float:
        """Bytes that indexing and gathering all sources read, without the modules they import.

        As a ratio to the bytes of the exposures.
        """
        total = 0.0
        for (step, (_, options, modules)), count in zip(STEPS.items(), self.size[1:3], strict=True):
            code = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); import {modules}"
            start = self._shell(shlex.join([sys.executable, *options, "-c", code]))
            total += count * (self.result["steps"][step]["median"]["read"] - start["read"])
        return total / self.result["bytes"]

    def _measure(self, command: list[str], directory: Path | None = None) -> dict[str, float]:
        directory = directory or (self.run if self.run.exists() else self.work)
        return measure(command, str(directory), str(self.log))
