"""What makes it fast, guarded without a clock: how often files are opened, how much is read."""

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eras import DATA, unpack
from snake import ROOT

from exp_to_source.files import write_all
from exp_to_source.gather import entry, product
from exp_to_source.gather.product import gather_source
from exp_to_source.index import tree
from exp_to_source.index.indexing import index_exposure
from exp_to_source.index.nodes import Node, SlitTree
from exp_to_source.simulate.exposures import Simulation, simulate
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


def count_written(patch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of all that gathers write from now on."""
    written: list[int] = []

    def count(file, data):
        written.append(len(data))
        write_all(file, data)

    for module in (entry, product):
        patch.setattr(module, "write_all", count)
    return written


@pytest.fixture(scope="module")
def exposures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return simulate(Simulation(exposures=2, sources=4), tmp_path_factory.mktemp("data"))


def test_every_byte_is_read_once_by_index_and_once_by_gather_and_written_once(
    exposures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    size = sum(path.stat().st_size for path in exposures)
    with monkeypatch.context() as patch:
        reads = Reads(patch)
        indices = [str(tmp_path / "index" / f"{path.stem}.txt") for path in exposures]
        for path, index in zip(exposures, indices, strict=True):
            index_exposure(str(path), index)
        assert reads.opened == {str(path): 1 for path in exposures}
        # Once, blocks that slits share too.
        assert reads.bytes < 1.001 * size

    list_sources(indices, str(tmp_path / "sources.tsv"))
    assert sum(os.path.getsize(index) for index in indices) < 0.03 * size

    with monkeypatch.context() as patch:
        reads = Reads(patch)
        written = count_written(patch)
        for manifest in sorted((tmp_path / "manifests").iterdir()):
            path = tmp_path / "products" / f"{manifest.stem}_cal.fits"
            gather_source(str(manifest), str(path), str(tmp_path / "index"))
        products = list((tmp_path / "products").iterdir())
        # Twice a product: for the planes, and for the blocks that come last.
        assert max(reads.opened.values()) <= 2 * len(products)
        assert reads.bytes < 1.01 * size
        assert sum(written) == sum(path.stat().st_size for path in products)


def test_nodes_are_made_of_what_differs_between_slits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Slits of flight repeat the exposure's metadata; the first WCS has anchors of others."""
    nodes: Counter[int] = Counter()
    texts = []

    class Parser(tree._Parser):
        def node(self, event: Any, slit: SlitTree | None, *arguments: Any) -> Node:
            nodes[slit.number if slit else 0] += 1
            return super().node(event, slit, *arguments)

        def document(self) -> tree.Tree:
            texts.append(len(self.text))
            return super().document()

    monkeypatch.setattr(tree, "_Parser", Parser)
    path = unpack(DATA / "flight" / "jw01345062001_03101_00001_nrs2_cal.fits.xz", tmp_path, 1)
    index_exposure(str(path), str(tmp_path / "index.txt"))
    assert nodes[3] < 0.07 * nodes[1]
    # Once: little more than the exposure's and two slits of 80 kB.
    (size,) = texts
    assert size < 180_000


LIBRARY = ROOT / "scripts" / "exp_to_source"


def imports_of(path: Path) -> Iterator[str]:
    """What a module imports, in full, wherever in its text."""
    package = path.relative_to(LIBRARY.parent).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            around = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*around, *filter(None, [node.module])))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def modules_of(folder: str) -> list[Path]:
    found = sorted((LIBRARY / folder).glob("*.py"))
    assert found
    return found


@pytest.mark.parametrize("folder", ["formats", "gather"])
def test_what_gather_starts_with_is_the_standard_library_alone(folder: str):
    own = ("formats.", "gather.", "errors.", "failures.", "files.", "results.")
    own += ("FORMAT", "TYPE_CHECKING", "__version__")
    shared = [LIBRARY / f"{name}.py" for name in ("errors", "failures", "files", "results")]
    for path in [*modules_of(folder), *shared]:
        for name in imports_of(path):
            first, _, rest = name.partition(".")
            inside = first == "exp_to_source" and rest.startswith(own)
            assert first in sys.stdlib_module_names or inside, f"{path.name} imports {name}"


#: What `verify` has in common with the rest: constants, files, tables, lists of HDUs, which the
#: writer does not use, and the reading of associations and joins, in which an error would not be
#: found.
SHARED_WITH_VERIFY = ("errors", "files", "hdus", "modes", "results", "tables")
SHARED_WITH_VERIFY += ("sources.associations", "sources.join_table")


def test_nothing_is_shared_with_the_writer():
    for path in modules_of("verify"):
        for name in imports_of(path):
            module = name.removeprefix("exp_to_source.")
            allowed = name == module or module.startswith(("verify.", *SHARED_WITH_VERIFY))
            assert allowed, f"{path.name} imports {name}"
    code = "from exp_to_source.verify import products; import sys; print(*sys.modules)"
    text = subprocess.run(
        [sys.executable, "-c", code], cwd=LIBRARY.parent, capture_output=True, text=True, check=True
    ).stdout
    loaded = {name.split(".")[1] for name in text.split() if name.startswith("exp_to_source.")}
    assert "verify" in loaded and not loaded & {"formats", "index", "gather"}


def test_folders_say_what_goes_in_and_what_comes_out_and_import_nothing():
    folders = {path for path in LIBRARY.iterdir() if path.is_dir() and path.name[0] != "_"}
    folders -= {LIBRARY / "bin", LIBRARY / "root"}
    assert len(folders) == 11
    for folder in folders:
        text = (folder / "__init__.py").read_text(encoding="utf-8")
        assert "\nIn: " in text and "Out: " in text
        assert len(ast.parse(text).body) == 1


def test_folders_import_each_other_in_no_circle():
    arrows: dict[str, set[str]] = {}
    for path in {*LIBRARY.rglob("*.py")} - {*LIBRARY.glob("bin/*")}:
        folder, *_ = path.relative_to(LIBRARY).parts
        for name in imports_of(path):
            parts = name.split(".")
            if parts[0] == "exp_to_source" and (LIBRARY / parts[1]).is_dir() and parts[1] != folder:
                arrows.setdefault(folder, set()).add(parts[1])
    while arrows:
        leaves = [folder for folder in arrows if not arrows[folder] & arrows.keys()]
        assert leaves, f"a circle among {sorted(arrows)}"
        for folder in leaves:
            del arrows[folder]


def test_tests_of_units_run_no_workflow_and_tests_import_no_tests():
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(?:from|import) test_", text, re.MULTILINE), path
        if path.is_relative_to(ROOT / "tests" / "unit"):
            assert not re.search(r"import .*\bWorkflow\b|\"-m\", \"snakemake\"", text), path
