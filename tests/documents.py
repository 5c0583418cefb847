"""Pages of the documents, and runs of the commands in them.

Blocks of `sh` and `python` of a page run in their order, in a folder that looks like the project:
`/data/` stands for simulated exposures there, as does the folder `data`. Those that cannot be run
say so and why, in the line that opens them: ```sh not-tested: needs the network
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

from astropy.table import Table
from snake import ROOT, ready

from exp_to_source.simulate.exposures import Simulation, simulate

PAGES = sorted(
    str(path.relative_to(ROOT))
    for place in ("*.md", "config/*.md", "benchmarks/*.md", "docs/**/*.md")
    for path in ROOT.glob(place)
    if "_build" not in path.parts
)

#: What a page calls a product in general.
ANY_PRODUCT = (
    "PRODUCT_cal.fits",
    "WORK/results/products/jw10006-o010_s00061_nirspec_f170lp-g235m_cal.fits",
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


def mos(folder: Path) -> None:
    """Exposures of MOS, background and virtual slits among them, and their association."""
    what = {"background": 1, "virtual": 1, "association": True}
    simulate(Simulation(shape=(4, 8), exposures=2, source_ids=(61, 62), **what), folder)


def wfss(folder: Path) -> None:
    """Exposures of WFSS, two orders a source."""
    what = {"exposures": 2, "sources": 2, "orders": (1, 2)}
    simulate(Simulation(mode="nircam-wfss", shape=(4, 8), **what), folder)


def two_observations(folder: Path) -> None:
    """Two observations of one field, one of them in a program of its own."""
    what = {"exposures": 1, "source_ids": (61, 62), "shape": (4, 8)}
    simulate(Simulation(**what), folder)
    simulate(Simulation(program=10007, **what), folder)


def many_ids(folder: Path) -> None:
    """MOS exposures of ids far apart, and a catalogue of two of them in the working directory."""
    ids = (61, 62, 100, 110, 120)
    simulate(Simulation(shape=(4, 8), exposures=1, source_ids=ids), folder)
    table = Table({"source_id": [61, 100]})
    table.write(folder.parent / "bright.ecsv")


def few(folder: Path) -> None:
    """MOS exposures of two sources."""
    simulate(Simulation(shape=(4, 8), exposures=2, source_ids=(61, 62)), folder)


def joined(folder: Path) -> None:
    """Two observations of one field with other ids, and the table of the page."""
    simulate(Simulation(shape=(4, 8), exposures=1), folder)
    simulate(Simulation(shape=(4, 8), exposures=1, observation=11, source_ids=(71, 72)), folder)
    page = (ROOT / "docs" / "how-to" / "join.md").read_text(encoding="utf-8")
    rows = page.split("```\nexposure ")[1].split("```")[0]
    (folder.parent / "joins.tsv").write_text(re.sub(r" +", "\t", f"exposure {rows}"))


#: Pages that need other exposures than `mos`.
PREPARED: dict[str, Callable[[Path], None]] = {
    "docs/how-to/wfss.md": wfss,
    "docs/how-to/combine.md": two_observations,
    "docs/how-to/choose.md": many_ids,
    "docs/how-to/join.md": joined,
    "docs/how-to/look.md": few,
    "docs/how-to/spectra.md": few,
}


def imitate_project(folder: Path) -> None:
    """Give a folder what the project has, where commands may write."""
    for path in ROOT.iterdir():
        if path.name not in (".venv", ".git", ".snakemake", "results", "logs", "demo", "data"):
            (folder / path.name).symlink_to(path)
    # The environment of the tests, which make takes for complete; its `snakemake` has its imports
    # done.
    environment = folder / ".venv"
    programs = environment / "bin"
    programs.mkdir(parents=True)
    stamps = {"run", "test", "docs"}
    for place, copy in ((Path(sys.prefix), environment), (Path(sys.prefix, "bin"), programs)):
        for path in place.iterdir():
            if path.name not in {*stamps, "bin", "snakemake"}:
                (copy / path.name).symlink_to(path)
    for stamp in stamps:
        (environment / stamp).touch()
    snakemake = programs / "snakemake"
    snakemake.write_text(f'#!/bin/sh\nexec {ready()} -m snakemake "$@"\n')
    snakemake.chmod(0o700)


def run_commands(page: str, project: Path) -> None:
    """Run the blocks of a page in an empty folder; each has to succeed."""
    imitate_project(project)
    tested = [block for block in blocks(page) if not block.marker]
    if any("data" in block.code for block in tested):
        PREPARED.get(page, mos)(project / "data")
    # Products are opened where they are made: some pages name a working directory.
    work = project / "WORK"
    environment = os.environ | {"PATH": f"{project}/.venv/bin:{os.environ['PATH']}"}
    for block in tested:
        code = block.code.replace("/data/", f"{project}/data/").replace(*ANY_PRODUCT)
        code = LOOKED_UP.sub("make --dry-run ", code)
        if page != "README.md":
            code = DEMO.sub("make --dry-run ", code)
        python = block.language == "python"
        done = subprocess.run(
            [*([sys.executable] if python else ["bash", "-euo", "pipefail"]), "-c", code],
            cwd=work if python and work.exists() else project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block.code}\n{done.stdout}"
