"""Exposures written by the libraries of their day."""

import gzip
import lzma
from pathlib import Path

from tiny import CARD, integer, split, value

#: Exposures of each era and mode, and of flight, compressed, as `reduce.py` there makes them.
DATA = Path(__file__).parent / "data"

ERAS = ("1.8.2", "1.11.4", "1.12.5", "1.14.0", "1.16.1", "1.18.1", "1.20.2", "2.0.1", "3.0.0")
MODES = ("mos", "fs", "wfss")


def unpack(packed: Path, folder: Path, number: int) -> Path:
    """Put a file into a folder, as the exposure of this number."""
    path = folder / packed.stem.replace("_00001_", f"_{number:05}_")
    path.parent.mkdir(parents=True, exist_ok=True)
    decompress = lzma.decompress if packed.suffix == ".xz" else gzip.decompress
    path.write_bytes(decompress(packed.read_bytes()))
    return path


def unpack_eras(mode: str, folder: Path, *eras: str) -> list[Path]:
    """Put an exposure of each of these eras into a folder."""
    return [unpack(_packed(era, mode), folder, number) for number, era in enumerate(eras, 1)]


def write_legacy(folder: Path) -> list[Path]:
    """Write exposures as of before 1.0: of tags that nothing knows any more, ids of their own."""
    names = {
        "!transform/scale-1.2.0": "!<tag:stsci.edu:jwst_pipeline/coords-0.7.0>",
        "source_id: 3": "source_id: 0",
        "source_id: 4": "source_id: 3",
        "source_id: 0": "source_id: 4",
    }
    swapped = {3: 4, 4: 3}
    paths = [unpack(_packed("1.8.2", "fs"), folder, number) for number in (1, 2, 3)]
    for number, path in enumerate(paths, 1):
        parts = split(path.read_bytes().replace(b"_00001_", b"_%05d_" % number))
        text = "\n".join(parts.lines)
        for old, new in names.items():
            assert old in text
            text = text.replace(old, new)
        parts.lines = text.split("\n")
        for place, (cards, data) in enumerate(parts.hdus):
            if value(cards, "EXTNAME") == "SCI":
                slit = integer(cards, "EXTVER")
                at = next(n for n, card in enumerate(cards) if card.startswith(b"SOURCEID"))
                cards[at] = f"SOURCEID= {swapped.get(slit, slit):>20}".encode().ljust(CARD)
                parts.hdus[place] = cards, bytes([number]) + data[1:]
        path.write_bytes(parts.join(true_hash=True))
    return paths


def _packed(era: str, mode: str) -> Path:
    return next((DATA / "eras" / era / mode).iterdir())
