"""Products are spliced with little, and only from what was indexed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from astropy.io import fits
from snake import ROOT

from exp_to_source.errors import InputError
from exp_to_source.gather.product import gather_source
from exp_to_source.index.indexing import index_exposure
from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.sources.listing import list_sources

#: What no gather imports, as its start is most of its cost.
FORBIDDEN_IMPORTS = {
    *("numpy", "astropy", "asdf", "stdatamodels", "yaml"),
    *("argparse", "bisect", "collections", "contextlib", "dataclasses", "functools", "inspect"),
    *("json", "operator", "pathlib", "re", "shutil", "types", "typing"),
}


@pytest.fixture(scope="module")
def exposures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with two exposures of three sources."""
    folder = tmp_path_factory.mktemp("exposures")
    simulate(Simulation(exposures=2, sources=3, shape=(4, 6)), folder)
    return folder


@pytest.fixture
def run(exposures: Path, tmp_path: Path) -> Path:
    """Folder with these exposures, indexed and listed."""
    shutil.copytree(exposures, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.glob("*_cal.fits"):
        index_exposure(str(path), f"{tmp_path}/results/index/{path.stem}.txt")
    list_sources(indices_in(tmp_path), f"{tmp_path}/results/sources.tsv")
    return tmp_path


def indices_in(folder: Path) -> list[str]:
    return sorted(map(str, (folder / "results/index").iterdir()))


def gather_first(folder: Path) -> Path:
    """Gather the first product."""
    manifest = sorted((folder / "results/manifests").iterdir())[0]
    product = folder / "results/products" / f"{manifest.stem}_cal.fits"
    gather_source(str(manifest), str(product), str(folder / "results/index"))
    return product


def test_gather_imports_only_what_it_needs(run: Path):
    manifest = sorted((run / "results/manifests").iterdir())[0]
    command = [
        *(sys.executable, "-S", "-E", "-X", "importtime"),
        *(ROOT / "scripts/exp_to_source/bin/gather_source.py", manifest, run / "x_cal.fits"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "exp_to_source.gather.product" in imported
    assert not {name.partition(".")[0] for name in imported} & FORBIDDEN_IMPORTS


def test_same_input_same_bytes(run: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first = gather_first(run).read_bytes()
    assert gather_first(run).read_bytes() == first
    assert b"DATE    = '2023-11-14T22:13:20.000'" in first


@pytest.mark.parametrize("change", ["byte", "size", "gone"])
def test_exposure_that_changed_since_it_was_indexed(run: Path, change: str):
    path = sorted(run.glob("*_cal.fits"))[1]
    data = bytearray(path.read_bytes())
    if change == "byte":
        with fits.open(path) as hdus:
            data[hdus["DQ", 1].fileinfo()["datLoc"]] ^= 1
    os.unlink(path)
    if change != "gone":
        path.write_bytes(data + bytes(2880 * (change == "size")))
    with pytest.raises(InputError, match="since it was indexed") as caught:
        gather_first(run)
    assert str(path) in str(caught.value)
    index = run / "results" / "index" / f"{path.stem}.txt"
    assert (f"delete {index} and run again" in str(caught.value)) == (change != "gone")
    assert list((run / "results/products").iterdir()) == []


def test_manifests_are_rewritten_only_where_they_change(run: Path):
    folder = run / "results/manifests"
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    table = str(run / "results/sources.tsv")
    list_sources(indices_in(run), table)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    messages = list_sources(indices_in(run)[:1], table)
    assert "3 products of 1 exposure; 3 new or changed" in messages
