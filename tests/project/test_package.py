"""What pip installs has the library, the command and the workflow."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from shutil import copy2, copytree, ignore_patterns

import pytest
from packaging.version import Version
from snake import ROOT

from exp_to_source.simulate.exposures import Simulation, simulate

PARTS = ("pyproject.toml", "README.md", "LICENSE", "Snakefile", "config", "profiles", "scripts")
#: Files that no run needs: notes, another entry file, another link to the profiles.
LEFT_OUT = (
    *("__pycache__/*", "root/config/README.md", "root/workflow/Snakefile"),
    "root/workflow/profiles/*/*",
)


def files_in(package: Path) -> set[Path]:
    """List the files that runs need of a package, also behind links to folders."""
    paths = {
        Path(folder, name).relative_to(package)
        for folder, _, names in os.walk(package, followlinks=True)
        for name in names
    }
    return {path for path in paths if not any(map(path.match, LEFT_OUT))}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which pip installed a copy of the project, without a network."""
    if Version(version("setuptools")) < Version("77"):
        pytest.skip("setuptools is older")
    clone, site = (tmp_path_factory.mktemp(name) for name in ("clone", "site"))
    for name in (*PARTS, "workflow"):
        if (ROOT / name).is_dir():
            ignored = ignore_patterns("__pycache__", "*.egg-*")
            copytree(ROOT / name, clone / name, symlinks=True, ignore=ignored)
        else:
            copy2(ROOT / name, clone)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--no-deps",
        "--no-compile",
    ]
    subprocess.run(
        [*pip, "--no-build-isolation", "--target", site, clone], check=True, capture_output=True
    )
    return site


def test_installed_files(site: Path):
    library = ROOT / "scripts" / "exp_to_source"
    assert files_in(site / "exp_to_source") == files_in(library)


def test_installed_workflow_runs(site: Path, tmp_path: Path):
    """Also by the script for Slurm, which needs no clone."""
    environment = os.environ | {"PYTHONPATH": str(site)}
    environment["PATH"] = f"{site}/bin:{os.environ['PATH']}"
    script = site / "exp_to_source" / "root" / "profiles" / "slurm" / "run.sbatch"
    simulate(Simulation(exposures=2, sources=2, shape=(4, 8)), tmp_path / "work" / "data")
    for command, status in (
        (["bash", script, "work", "--config", "exposures=data"], 0),
        (["exp-to-source", "run", "--directory=work", "--quiet=all", "nothing.fits"], 1),
    ):
        assert subprocess.run(command, cwd=tmp_path, env=environment).returncode == status
    assert len(list((tmp_path / "work" / "results" / "products").iterdir())) == 2


def test_packages_beside_it_are_not_imported_by_jobs(site: Path):
    """They may be of another Python than that of jobs."""
    (site / "argparse.py").write_text("raise SystemExit('imported')")
    command = site / "exp_to_source" / "bin" / "exp-to-source"
    for words in (["--help"], ["gather", "--help"]):
        done = subprocess.run([command, *words], capture_output=True, text=True, check=True)
        assert done.stdout.startswith("usage: exp-to-source")
