"""Pages of the documents, and runs of the commands in them.

All blocks of `sh` and `python` of pages run in their order, in one shell, in a folder that looks
like the project: as for a reader who copies one after another. `/data/` stands for simulated
exposures there; the settings of WORK name them, where a page takes these for given. Blocks that
cannot be run say so and why, in the line that opens them: ```sh not-tested: needs the network
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

from snake import ROOT

from exp_to_source.simulate.exposures import Simulation, simulate

PAGES = sorted(
    str(path.relative_to(ROOT))
    for place in ("*.md", "config/*.md", "benchmarks/*.md", "docs/**/*.md")
    for path in ROOT.glob(place)
    if "_build" not in path.parts
)


BLOCK = re.compile(r"^( *)```(sh|python)\b[ \t]*([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)

#: Targets of make that would run the tests within the tests, or take minutes: only looked up.
LOOKED_UP = re.compile(r"^make (?=test|bench|lint|lock|docs|pictures|slurm|clean)", re.MULTILINE)

#: The example is made once.
DEMO = re.compile(r"^make (?=demo)", re.MULTILINE)


class Block(NamedTuple):
    """A piece of code of a page."""

    language: str
    marker: str
    code: str


def blocks(page: str) -> list[Block]:
    """Pieces of code of a page, in order."""
    found = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    return [Block(language, marker, dedent(code)) for _, language, marker, code in found]


def is_for_work(page: str) -> bool:
    """Return whether a page is for a reader who has been through the README."""
    return "Set up `WORK` as in" in (ROOT / page).read_text(encoding="utf-8")


def imitate_project(folder: Path) -> None:
    """Give a folder what the project has, where commands may write."""
    made = (".venv", ".git", ".snakemake", "results", "logs", "demo", "exposures")
    for path in ROOT.iterdir():
        if path.name not in made and not path.name.startswith("WORK"):
            (folder / path.name).symlink_to(path)
    # The environment of the tests, which make takes for complete, with the command of the clone.
    environment = folder / ".venv"
    programs = environment / "bin"
    programs.mkdir(parents=True)
    stamps = {"run", "test", "docs"}
    for place, copy in ((Path(sys.prefix), environment), (Path(sys.prefix, "bin"), programs)):
        for path in place.iterdir():
            if path.name not in {*stamps, "bin", "activate", "exp-to-source"}:
                (copy / path.name).symlink_to(path)
    for stamp in stamps:
        (environment / stamp).touch()
    # Its programs are found first already.
    (programs / "activate").touch()
    command = programs / "exp-to-source"
    command.write_text(f'#!/bin/sh\nexec python {ROOT}/scripts/exp-to-source "$@"\n')
    command.chmod(0o700)


def run_commands(project: Path, *pages: str) -> None:
    """Run the blocks of pages in an empty folder, equal ones once; each has to succeed."""
    imitate_project(project)
    tested = dict.fromkeys(block for page in pages for block in blocks(page) if not block.marker)
    given = any(map(is_for_work, pages))
    if given or any("/data/" in block.code for block in tested):
        some = Simulation(shape=(4, 8), exposures=2, source_ids=(59, 61, 62))
        simulate(some, project / "data")
    if given:
        settings = project / "WORK" / "config" / "config.yaml"
        settings.parent.mkdir(parents=True)
        settings.write_text(f"exposures: {project}/data/jw*_cal.fits\n")
    script = "\n".join(map(as_shell, tested)).replace("/data/", f"{project}/data/")
    script = LOOKED_UP.sub("make --dry-run ", script)
    if "README.md" not in pages:
        script = DEMO.sub("make --dry-run ", script)
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", script],
        cwd=project,
        env=os.environ
        | {
            "PATH": f"{project}/.venv/bin:{os.environ['PATH']}",
            # As if `make setup` had installed the package.
            "PYTHONPATH": str(ROOT / "scripts"),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def as_shell(block: Block) -> str:
    """Command of the shell that runs a block."""
    if block.language == "python":
        return f"python - <<'END_OF_BLOCK'\n{block.code}END_OF_BLOCK"
    return block.code
