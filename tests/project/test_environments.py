"""One set of versions, whichever way the software is installed; profiles that say the same."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from snake import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENVIRONMENTS = sorted((ROOT / "workflow" / "envs").glob("*.yaml"))
PROFILES = ROOT / "profiles"


def locked(name: str) -> dict[str, set[str]]:
    """Versions of each package in a lock file; some differ between platforms."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE):
        versions.setdefault(canonicalize_name(package), set()).add(version)
    return versions


def profile(name: str) -> dict:
    return yaml.safe_load((PROFILES / name / "profile.yaml").read_text())


@pytest.mark.parametrize("name", ["test", "docs", "find", "slurm", "spec3"])
def test_lock_files_agree(name: str):
    other = locked(name)
    for package, versions in locked("run").items():
        assert other[package] == versions, package


def test_oldest_environment_differs_in_snakemake_alone():
    oldest, newest = locked("oldest"), locked("test")
    differing = {name for name, versions in newest.items() if oldest[name] != versions}
    assert differing == {"snakemake"}
    (stated,) = re.findall(r'min_version\("([\d.]+)"\)', (ROOT / "Snakefile").read_text())
    assert oldest["snakemake"] == {f"{stated}.0"}
    assert f"snakemake>={stated}" in PYPROJECT["dependencies"]


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.name)
def test_conda_environments_are_what_is_locked(path: Path):
    stated = [*PYPROJECT["dependencies"], *PYPROJECT["optional-dependencies"]["spec3"]]
    wanted = {canonicalize_name(Requirement(text).name): text for text in stated}
    *listed, last = yaml.safe_load(path.read_text())["dependencies"]
    if isinstance(last, dict):
        listed.remove("pip")
    for text in [*listed, *(last["pip"] if isinstance(last, dict) else [last])]:
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        if name == "python":
            assert requirement.specifier == SpecifierSet(PYPROJECT["requires-python"])
        else:
            assert requirement.specifier == Requirement(wanted[name]).specifier
            assert all(map(requirement.specifier.contains, locked("spec3")[name]))


def test_container_has_what_is_locked():
    """It cannot be built here: what it copies is there, and its Python is one of ours."""
    text = (ROOT / "Dockerfile").read_text()
    (python,) = re.findall(r"^FROM python:(\S+)-slim AS run$", text, re.MULTILINE)
    assert SpecifierSet(PYPROJECT["requires-python"]).contains(f"{python}.0")
    copied = re.findall(r"^COPY (.+) /opt/exp_to_source/(\S*)$", text, re.MULTILINE)
    for sources, target in copied:
        assert target.rstrip("/") in {os.path.dirname(sources.split()[0]), sources}
    names = {source for sources, _ in copied for source in sources.split()}
    locks = {f"requirements/{name}.txt" for name in ("run", "build", "spec3")}
    files = {"pyproject.toml", "README.md", "LICENSE", "Snakefile"}
    assert names == {*files, "config", "profiles", "scripts", "workflow", *locks}
    assert set(re.findall(r"-r /opt/exp_to_source/(\S+)", text)) == locks


@pytest.mark.parametrize("name", ["slurm", "slurm-generic"])
def test_profiles_for_clusters_repeat_the_default(name: str):
    """They take its place: Snakemake reads one profile of a workflow."""
    default, cluster = profile("default"), profile(name)
    # There, cores are those of a group.
    other = {"latency-wait": 60, "cores": 2}
    assert {key: cluster.get(key) for key in default} == default | other
    assert set(cluster["set-resources"]["gather_source"]) >= {"record_failure"}
    assert cluster["retries"] >= 1, "the first attempt of a group may fail"


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
@pytest.mark.parametrize("path", ["slurm/run.sbatch", "slurm-generic/status.sh"])
def test_scripts_are_clean(path: str):
    done = subprocess.run(
        ["shellcheck", PROFILES / path], stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.stdout == ""
