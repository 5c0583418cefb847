"""Exposures to measure with: sizes, simulated exposures, those of flight, made-up indices."""

import copy
import hashlib
import lzma
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))

from exp_to_source.files import size_and_mtime  # noqa: E402
from exp_to_source.formats.index_writer import write_index  # noqa: E402
from exp_to_source.formats.layouts import SlitLayout  # noqa: E402
from exp_to_source.formats.rows import checksum  # noqa: E402
from exp_to_source.formats.summaries import SlitSummary  # noqa: E402
from exp_to_source.index.fitsfile import HDU, scan  # noqa: E402

MODES = {"mos": "mos", "fs": "fixed-slit", "wfss": "nircam-wfss", "flight": "", "list": ""}
#: An exposure of flight, compressed, of which those of the mode "flight" are made.
FLIGHT = ROOT / "tests/data/flight/jw01345062001_03101_00001_nrs2_cal.fits.xz"
NUMBER = b"_03101_00001_"
PROGRAM = [sys.executable, str(SCRIPTS / "exp-to-source")]


class Size(NamedTuple):
    """How much is measured: ``mos-6x60`` is 6 exposures of 60 sources."""

    mode: str
    exposures: int
    sources: int
    shape: tuple[int, int] = (30, 400)

    @property
    def slits(self) -> int:
        """Slits of all exposures."""
        return self.exposures * self.sources

    @property
    def template(self) -> str:
        """Name of the folder that sizes with the same kind of exposure share."""
        return f"{self.mode}-{self.sources}-{self.shape[0]}x{self.shape[1]}-realistic"


def parse_size(text: str) -> Size:
    """Parse a size, ``mode-ExS``, if need be with the shape of the cut-outs: ``mode-ExS-RxC``."""
    match = re.fullmatch(rf"({'|'.join(MODES)})-(\d+)x(\d+)(?:-(\d+)x(\d+))?", text)
    if not match:
        raise ValueError(f"{text!r} is no size, such as mos-6x60 or wfss-8x2000-10x100")
    shape = (int(match[4]), int(match[5])) if match[4] else (30, 400)
    if match[1] == "flight":
        shape = (25, 341)
    return Size(match[1], int(match[2]), int(match[3]), shape)


def exposure_files(sizes: list[Size], data: Path) -> dict[Size, list[Path]]:
    """Find the exposures of each size, and make those that are not there, two at a time.

    Parameters
    ----------
    sizes : list of Size
        The sizes.
    data : pathlib.Path
        Folder of simulated exposures.

    Returns
    -------
    dict of Size to list of pathlib.Path
        Exposures of each size, in order.
    """
    largest: dict[str, Size] = {}
    for size in sizes:
        other = largest.setdefault(size.template, size)
        largest[size.template] = max(size, other)
    with ThreadPoolExecutor(2) as threads:
        made = threads.map(lambda size: _make(size, data / size.template), largest.values())
        files = dict(zip(largest, made, strict=True))
    return {size: files[size.template][: size.exposures] for size in sizes}


def _make(size: Size, folder: Path) -> list[Path]:
    """Make the first exposure, which takes seconds or minutes, and the others from it."""
    if not folder.exists():
        fresh = folder.with_name(f"{folder.name}.part")
        if size.mode == "flight":
            flight_exposure(fresh, size.sources)
        else:
            simulated_exposure(fresh, size)
        fresh.rename(folder)
    first = next(folder.glob(f"*{NUMBER.decode()}*_cal.fits"))
    paths = [first]
    for number in range(2, size.exposures + 1):
        paths.append(first.with_name(_renumbered(first.name.encode(), number).decode()))
        if not paths[-1].exists():
            another_exposure(first, number, paths[-1])
    return paths


def simulated_exposure(folder: Path, size: Size) -> None:
    """Simulate an exposure."""
    shape = map(str, size.shape)
    options = ["--realistic", "--exposures=1", f"--sources={size.sources}", "--shape", *shape]
    command = [*PROGRAM, "simulate", str(folder), "--mode", MODES[size.mode], *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def flight_exposure(folder: Path, sources: int) -> None:
    """Write an exposure of copies of the slits of an exposure of flight, each its own source."""
    # Only here, as it takes long.
    from stdatamodels.jwst import datamodels

    folder.mkdir(parents=True)
    path = folder / FLIGHT.stem
    path.write_bytes(lzma.decompress(FLIGHT.read_bytes()))
    with datamodels.open(path) as model:
        slits = [slit.instance for slit in model.slits]
        while len(model.slits) < sources:
            model.slits.append(copy.deepcopy(slits[len(model.slits) % len(slits)]))
        for number, slit in enumerate(model.slits, 1):
            slit.source_id = slit.slitlet_id = number
            slit.name, slit.source_name = str(number), f"1345_{number}"
        path.unlink()
        model.save(str(path))
    path.write_bytes(_share_intervals(path.read_bytes(), len(slits)))


def _share_intervals(content: bytes, slits: int) -> bytes:
    """Refer to the intervals of the first slit in the next ones, as the exposure of flight does.

    They were read as equal objects instead of the same, of which only copies refer to theirs.
    """
    start = content.index(b"\nslits:\n")
    _, *texts = content[start:].split(b"\n- ", slits + 1)[: slits + 1]
    first, *others = (re.findall(rb"&(id\d+) \[-1, 1\]", text) for text in texts)
    for names in others:
        for old, new in zip(names, first, strict=True):
            content = content.replace(b"&%b [-1, 1]" % old, b"*%b        " % new)
            content = re.sub(rb"\*%b\b" % old, b"*%b" % new, content)
    return content


def _renumbered(text: bytes, number: int) -> bytes:
    """Name the exposure of another number, and tell that number, in as many bytes."""
    text = text.replace(NUMBER, b"_03101_%05d_" % number)
    text = text.replace(b"EXPOSURE= '1 ", (b"EXPOSURE= '%d" % number).ljust(13))
    # Blank space after a comma has no meaning in YAML, so the number may take it.
    words = (b"exposure_number: '%d'," % number).ljust(22)
    return re.sub(rb"exposure_number: '1',\s", words, text)


def another_exposure(first: Path, number: int, path: Path) -> None:
    """Make a sound exposure of the first: other name, number, pixels and hash of its headers."""
    raw = first.read_bytes()
    with first.open("rb") as file:
        hdus = list(scan(file.fileno(), str(first)))
    parts, old, new = [], hashlib.sha256(), hashlib.sha256()
    for hdu in hdus[:-1]:
        header = _renumbered(hdu.header.raw, number)
        old.update(hdu.header.raw)
        new.update(header)
        parts += [header, _rotated(raw, hdu, number)]
    tree = _renumbered(raw[hdus[-1].start :], number)
    parts.append(tree.replace(old.hexdigest().encode(), new.hexdigest().encode()))
    content = b"".join(parts)
    if len(content) != len(raw) or new.hexdigest().encode() not in parts[-1]:
        raise ValueError(f"{first}: not laid out as simulated exposures are")
    path.write_bytes(content)


def _rotated(raw: bytes, hdu: HDU, number: int) -> bytes:
    """Pixels (of four bytes) of an HDU, shifted: other values in each place, all of them sound."""
    end, shift = hdu.data_start + hdu.data_size, 4 * number
    pixels = raw[hdu.data_start : end]
    return pixels[shift:] + pixels[:shift] + raw[end : hdu.end]


def make_indices(size: Size, exposures: Path, indices: Path) -> None:
    """Write indices of made-up slits, and empty files in place of their exposures.

    Parameters
    ----------
    size : Size
        How many.
    exposures, indices : pathlib.Path
        Folders to write to.
    """
    identity = {
        "program": "10006",
        "observation": "010",
        "instrument": "NIRCAM",
        "detector": "NRCALONG",
        "filter": "F356W",
        "grating": "",
        "pupil": "GRISMR",
        "subarray": "FULL",
        "exposure_type": "NRC_WFSS",
        "version": "1.14.0",
    }
    record = SlitLayout([], {}, (False, 0, 0), [], [], [], None, None)
    exposures.mkdir(parents=True)
    indices.mkdir(parents=True)
    for number in range(1, size.exposures + 1):
        name = f"jw10006010001_03101_{number:05}_nrcalong_cal"
        path = exposures / f"{name}.fits"
        path.touch()
        # Older than its index, as it would be.
        os.utime(path, (1e9, 1e9))
        about = {"exposure": name, "path": str(path)} | size_and_mtime(path) | identity
        about |= {"standard": "1.6.0"}
        what = ("NRC_WFSS", 7, 400_000, (100, 140), (3.1, 4.0))
        slits = [
            (SlitSummary(checksum(b"%d %d" % (number, n)), n, "", str(n), *what), record)
            for n in range(1, size.sources + 1)
        ]
        write_index(str(indices / f"{name}.txt"), about, {}, slits)
