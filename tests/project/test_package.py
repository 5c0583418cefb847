"""The wheel has the library, its data files and the command, built without a network."""

import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path
from shutil import copy2, copytree, ignore_patterns

import pytest
from packaging.version import Version
from snake import ROOT

BUILD = "import setuptools.build_meta as backend, sys; backend.build_wheel(sys.argv[1])"
START = "import sys; from exp_to_source.cli import main; main(['check-config', sys.argv[1]])"


def files_in(folder: Path, package: str) -> set[Path]:
    files = {path.relative_to(folder) for path in (folder / package).rglob("*") if path.is_file()}
    assert files
    return files


@pytest.mark.skipif(Version(version("setuptools")) < Version("77"), reason="setuptools is older")
def test_wheel(tmp_path: Path):
    clone, wheels, site = (tmp_path / name for name in ("clone", "wheels", "site"))
    clone.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        copy2(ROOT / name, clone)
    copytree(ROOT / "scripts", clone / "scripts", ignore=ignore_patterns("__pycache__", "*.egg-*"))
    library = files_in(clone / "scripts", "exp_to_source")
    subprocess.run(
        [sys.executable, "-c", BUILD, wheels], cwd=clone, check=True, capture_output=True
    )
    (wheel,) = wheels.iterdir()
    with zipfile.ZipFile(wheel) as file:
        file.extractall(site)
    assert files_in(site, "exp_to_source") == library
    (points,) = site.glob("*.dist-info/entry_points.txt")
    assert points.read_text() == "[console_scripts]\nexp-to-source = exp_to_source.cli:main\n"
    # Its data files are where it looks for them.
    config = ROOT / "config" / "config.yaml"
    done = subprocess.run(
        [sys.executable, "-c", START, config], cwd=site, check=True, capture_output=True, text=True
    )
    assert done.stdout == f"{config}: valid\n"
