"""What makes it fast, guarded without a clock: how often files are opened, how much is read."""

import os
from collections import Counter
from pathlib import Path

import pytest

from exp_to_source.gather.product import gather_source
from exp_to_source.index.indexing import index_exposure
from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.sources.families import Choices
from exp_to_source.sources.listing import list_sources


class Reads:
    """Counts what is opened and read of FITS files while it is in place of os.open and the like."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.opened: Counter[str] = Counter()
        self.bytes = 0
        self.files: dict[int, str] = {}
        open_, pread, preadv = os.open, os.pread, os.preadv

        def count_open(path, *arguments):
            file = open_(path, *arguments)
            self.files[file] = str(path)
            self.opened[str(path)] += 1
            return file

        def count_pread(file, size, place):
            data = pread(file, size, place)
            self.bytes += len(data) if self.files.get(file, "").endswith(".fits") else 0
            return data

        def count_preadv(file, buffers, place):
            size = preadv(file, buffers, place)
            self.bytes += size if self.files.get(file, "").endswith(".fits") else 0
            return size

        patch.setattr(os, "open", count_open)
        patch.setattr(os, "pread", count_pread)
        patch.setattr(os, "preadv", count_preadv)


@pytest.fixture(scope="module")
def exposures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return simulate(Simulation(exposures=2, sources=4), tmp_path_factory.mktemp("data"))


def test_every_byte_is_read_once_by_index_and_once_by_gather(
    exposures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    size = sum(path.stat().st_size for path in exposures)
    with monkeypatch.context() as patch:
        reads = Reads(patch)
        indices = [str(tmp_path / "index" / f"{path.stem}.jsonl") for path in exposures]
        for path, index in zip(exposures, indices, strict=True):
            index_exposure(str(path), index)
        assert reads.opened == {str(path): 1 for path in exposures}
        # Once, blocks that slits share too, and besides three lines of each WAVELENGTH plane.
        assert reads.bytes < 1.007 * size

    list_sources(indices, [], Choices(), str(tmp_path), str(tmp_path / "sources.tsv"))
    assert sum(os.path.getsize(index) for index in indices) < 0.03 * size

    with monkeypatch.context() as patch:
        reads = Reads(patch)
        for manifest in sorted((tmp_path / "manifests").iterdir()):
            product = tmp_path / "products" / f"{manifest.stem}_cal.fits"
            gather_source(str(manifest), str(product), str(tmp_path / "index"))
        # Twice a product: for the planes, and for the blocks that come last.
        assert max(reads.opened.values()) <= 2 * len(list((tmp_path / "products").iterdir()))
        assert reads.bytes < 1.01 * size
