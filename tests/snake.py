"""Runs of the real workflow in folders of their own."""

import csv
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from astropy.io import fits

ROOT = Path(__file__).parents[1]
BOOKKEEPING = ("all",)
FINISHED = re.compile(r"^Finished jobid: \d+ \(Rule: (\w+)\)$", re.MULTILINE)


def change_slit(path: Path, source_id: int) -> None:
    """Change one pixel of one slit."""
    with fits.open(path, mode="update") as hdus:
        slit = next(h for h in hdus if h.name == "SCI" and h.header["SOURCEID"] == source_id)
        slit.data[0, 0] = 42


def commit(folder: Path, tag: str) -> None:
    """Make a folder a repository: a commit of all its files, on the branch main, with a tag."""
    git = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@y"]
    for words in ("init -q -b main", "add .", "commit -qm x", f"tag {tag}"):
        subprocess.run([*git, *words.split()], check=True)


@dataclass
class Result:
    """How a run ended: exit status, what it said, how many jobs of each rule it finished."""

    status: int
    text: str

    @property
    def jobs(self) -> Counter[str]:
        """Jobs that make results: not those that keep settings."""
        return Counter(r for r in FINISHED.findall(self.text) if not r.endswith(BOOKKEEPING))


@dataclass
class Workflow:
    """A working directory, and the configuration that its runs have."""

    folder: Path
    config: dict[str, object]
    root: Path = ROOT
    printing: tuple[str, ...] = ("--printshellcmds",)

    def copy(self, folder: Path) -> "Workflow":
        """Copy the working directory, times and all."""
        return replace(self, folder=shutil.copytree(self.folder, folder), config=dict(self.config))

    def command(self, *arguments: str, **config: object) -> list[str]:
        """Command line of a run, of options and targets."""
        values = [f"{key}={value}" for key, value in (self.config | config).items()]
        return [
            # Printed commands bring the lines about single jobs, which are counted otherwise.
            *(sys.executable, "-m", "snakemake", "--cores", "2", *self.printing),
            *("--snakefile", str(self.root / "Snakefile"), "--directory", str(self.folder)),
            *(word for word in arguments if word.startswith("-")),
            *("--config", *values, "--", *(w for w in arguments if not w.startswith("-"))),
        ]

    def run(self, *arguments: str, **config: object) -> Result:
        """Run Snakemake with options and targets, and configuration besides its own."""
        self.folder.mkdir(exist_ok=True)
        done = subprocess.run(
            self.command(*arguments, **config),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Result(done.returncode, done.stdout)

    def make(self, *arguments: str, **config: object) -> Counter[str]:
        """Run Snakemake, which has to succeed; count the jobs of each rule."""
        result = self.run(*arguments, **config)
        assert result.status == 0, result.text
        return result.jobs

    @property
    def products(self) -> dict[str, bytes]:
        """Content of the products by file name."""
        folder = self.folder / "results" / "products"
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))}

    @property
    def sources(self) -> list[dict[str, str]]:
        """Rows of the source list."""
        with (self.folder / "results" / "sources.tsv").open(newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))

    def log(self, name: str) -> str:
        """Content of a log."""
        return (self.folder / "logs" / f"{name}.log").read_text()
