"""Sound exposures that mutants are made of: simulated ones, and real files where there are some."""

import gzip
import lzma
import re
from dataclasses import dataclass
from pathlib import Path

from tiny import Parts, integer, split, value

from exp_to_source.simulate.exposures import FIXED_SLITS, Simulation, simulate

#: In place of the date of simulation.
DATE = b"2026-01-01T00:00:00.000"


@dataclass(frozen=True)
class Subject:
    """A sound exposure.

    Attributes
    ----------
    kind : str
        Where it is from, and its mode.
    family : str
        Exposures of one family can be regrouped together, where their names differ.
    name : str
        Of its file.
    parts : Parts
        Its content.
    """

    kind: str
    family: str
    name: str
    parts: Parts


def simulated(folder: Path, mode: str, count: int) -> list[Subject]:
    """Two exposures of so many slits."""
    background = count // 2 if mode == "mos" else 0
    simulation = Simulation(
        mode=mode, exposures=2, sources=count - background, background=background, shape=(4, 8),
        fixed_slits=FIXED_SLITS[:count] if mode == "fixed-slit" else (),
    )  # fmt: skip
    return [
        Subject(f"simulated {mode}", mode, path.name, settle(path.read_bytes()))
        for path in simulate(simulation, folder)
    ]


def settle(content: bytes) -> Parts:
    """Take away what differs from one process to the next: date, and order of the software used."""
    now = value(split(content).hdus[0][0], "DATE") or ""
    parts = split(content.replace(now.encode(), DATE))
    start = parts.lines.index("  extensions:") + 1
    end = next(
        n for n in range(start, len(parts.lines)) if parts.lines[n][:3] not in ("  -", "   ")
    )
    items = re.split(r"\n(?=  - )", "\n".join(parts.lines[start:end]))
    parts.lines[start:end] = "\n".join(sorted(items)).split("\n")
    return split(parts.join(true_hash=True))


def real(folder: Path, count: int) -> list[Subject]:
    """Exposures of a folder by era and mode, compressed or not, each of its first slits alone."""
    subjects: list[Subject] = []
    unpackers = {".gz": gzip.decompress, ".xz": lzma.decompress, ".fits": bytes}
    for path in sorted(path for path in folder.rglob("*_cal.fits*") if path.suffix in unpackers):
        kind, family = path.parent.relative_to(folder).as_posix(), path.parent.name
        content = unpackers[path.suffix](path.read_bytes())
        # Those of several eras have the same names.
        number = 1 + sum(subject.family == family for subject in subjects)
        old = path.name.removesuffix(".gz").removesuffix(".xz")
        name = re.sub(r"_0000[0-9]_", f"_{number:05}_", old)
        content = content.replace(old.encode(), name.encode())
        subjects.append(Subject(kind, family, name, trim(split(content), count)))
    return subjects


def trim(parts: Parts, count: int) -> Parts:
    """Leave slits out, of the tree and of the HDUs."""
    start = parts.lines.index("slits:") + 1
    items = [n for n in range(start, len(parts.lines)) if parts.lines[n].startswith("- ")]
    end = next(n for n in range(start, len(parts.lines)) if re.match(r"\w|\.", parts.lines[n]))
    items = [n for n in items if n < end]
    if len(items) > count:
        del parts.lines[items[count] : end]
        parts.hdus = [
            (cards, data)
            for cards, data in parts.hdus
            if value(cards, "EXTNAME") in (None, "ASDF") or integer(cards, "EXTVER", 1) <= count
        ]
    return split(parts.join(true_hash=True))
