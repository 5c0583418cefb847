"""Exposures written by the libraries of their day, in pairs, and the official products of them."""

import gzip
import lzma
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asdf
import numpy as np
from jwst.exp_to_source import exp_to_source
from stdatamodels.jwst import datamodels
from tiny import CARD, integer, split, value

from exp_to_source.gather.product import gather_source
from exp_to_source.index.indexing import index_exposure
from exp_to_source.sources.families import GroupingOptions
from exp_to_source.sources.join_table import Joins
from exp_to_source.sources.joining import NO_JOINS
from exp_to_source.sources.listing import list_sources
from exp_to_source.tables import read_products

#: Exposures of each era and mode, and of flight, compressed, as `reduce.py` there makes them.
DATA = Path(__file__).parent / "data"

ERAS = ("1.8.2", "1.11.4", "1.12.5", "1.14.0", "1.16.1", "1.18.1", "1.20.2", "2.0.1", "3.0.0")
MODES = ("mos", "fs", "wfss")

#: Ends of the names of attributes that depend on the software and the time of writing.
NOT_COMPARED = ("asdf_library", "history", "_fits_hash", "meta.date", "meta.filename", "meta.wcs")


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


def regroup(paths: list[Path], folder: Path, joins: Joins = NO_JOINS) -> list[Path]:
    """Make products, grouped as jwst does."""
    indices = [folder / "index" / f"{path.stem}.txt" for path in paths]
    for path, index in zip(paths, indices, strict=True):
        index_exposure(str(path), str(index))
    table = folder / "sources.tsv"
    # Exposures may be copies of one.
    options = GroupingOptions(group_by="source_name", on_doubt="warn")
    list_sources(map(str, indices), str(table), options=options, joins=joins)
    products = []
    for name in read_products(str(table)):
        products.append(folder / "products" / f"{name}_cal.fits")
        manifest = str(folder / "manifests" / f"{name}.txt")
        gather_source(manifest, str(products[-1]), str(folder / "index"))
    return products


def regroup_officially(paths: list[Path]) -> dict[Any, datamodels.MultiExposureModel]:
    """Regroup exposures as calwebb_spec3 does; each product by who its first entry is."""
    with warnings.catch_warnings(action="ignore"), asdf.config_context() as config:
        config.validate_on_read = False  # For the sake of time.
        models = exp_to_source([datamodels.open(path) for path in paths]).values()
    return {who(model): model for model in models}


def who(model: datamodels.MultiExposureModel) -> tuple[int, str]:
    """Tell whose product it is."""
    entry = model.exposures[0]
    return entry.source_id, (entry.source_name or "").strip()


def open_quietly(path: Path) -> datamodels.MultiExposureModel:
    """Open a product with all checks; it must be valid and not warn."""
    with warnings.catch_warnings(action="error"):
        model = datamodels.open(path, strict_validation=True)
        model.validate()
    assert type(model) is datamodels.MultiExposureModel
    return model


def differences(
    ours: datamodels.MultiExposureModel, official: datamodels.MultiExposureModel
) -> list[str]:
    """Tell where two products differ in what users read of them: values, arrays, WCS."""
    values, expected = (dict(_values(model.instance)) for model in (ours, official))
    found = [key for key in values.keys() | expected.keys() if values.get(key) != expected.get(key)]
    assert len(ours.exposures) == len(official.exposures)
    for number, (entry, other) in enumerate(zip(ours.exposures, official.exposures, strict=True)):
        if not _same_world(entry, other):
            found.append(f"exposures.{number}.meta.wcs")
    return sorted(found)


def _values(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of each leaf, nulls left out."""
    if path.endswith(NOT_COMPARED) and not path.endswith("exposures.meta.filename"):
        return
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _values(value, f"{path}.{key}".lstrip("."))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _values(value, f"{path}.{number}")
    elif hasattr(node, "dtype"):
        array = np.asarray(node)
        yield path, (array.shape, array.dtype.newbyteorder("=").str, array.tolist().__repr__())
    elif node is not None:
        yield path, node


def _same_world(ours: Any, theirs: Any) -> bool:
    """Whether the WCSs of two entries give the same values, to the last bit."""
    if not theirs.meta.hasattr("wcs"):
        return not ours.meta.hasattr("wcs")
    rows, columns = ours.data.shape
    points = [(x, y) for x in (0.0, columns / 2) for y in (0.0, rows / 2)]
    with warnings.catch_warnings(action="ignore"):
        world, expected = (
            np.array([[float(axis) for axis in entry.meta.wcs(*point)] for point in points])
            for entry in (ours, theirs)
        )
    return bool(np.isfinite(world).any()) and world.tobytes() == expected.tobytes()
