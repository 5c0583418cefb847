"""The workflow as a module from a Git host, which a folder stands for, as docs/deploy.md has it."""

import re
import shutil
from pathlib import Path

import pytest
from snake import ROOT, Workflow, commit

from exp_to_source.simulate.exposures import Simulation, simulate

GUIDE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
#: Snakefile of the guide, which is that of `snakedeploy deploy-workflow`.
EXAMPLE = re.search(r"```python\n(configfile.*?)```", GUIDE, re.DOTALL)[1]
EXAMPLE_SOURCE = 'github("OWNER/exp_to_source", path="workflow/Snakefile", tag="v0.1.0")'
TAG = 'github("someone/exp_to_source", path="workflow/Snakefile", tag="v1/a")'
BRANCH = 'gitlab("someone/exp_to_source", path="Snakefile", branch="main")'


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a repository that has a tag and a branch."""
    folder = tmp_path_factory.mktemp("host")
    repository = folder / "someone" / "exp_to_source"
    for name in ("config", "profiles", "scripts", "workflow"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, repository / name, symlinks=True, ignore=ignored)
    shutil.copy(ROOT / "Snakefile", repository)
    commit(repository, "v1/a")
    return folder


@pytest.mark.parametrize("source", [TAG, BRANCH])
def test_deployed(source: str, host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    git_settings, cache = tmp_path / "gitconfig", tmp_path / "my cache"
    hosts = "\n".join(f"insteadOf = https://{name}.com/" for name in ("github", "gitlab"))
    git_settings.write_text(f'[url "{host}/"]\n{hosts}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(git_settings))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    work = Workflow(tmp_path / "work", {"exposures": "data"}, tmp_path / "work" / "workflow")
    simulate(Simulation(exposures=2, sources=2, shape=(4, 8)), work.folder / "data")
    shutil.copytree(ROOT / "config", work.folder / "config")
    work.root.mkdir()
    (work.root / "Snakefile").write_text(EXAMPLE.replace(EXAMPLE_SOURCE, source))
    assert work.make()["gather_source"] == len(work.products) == 2
    assert len(list(cache.rglob("someone/exp_to_source.*"))) == 1
    # Without the host.
    git_settings.write_text("[protocol]\nallow = never\n")
    if source == TAG:
        assert work.make() == {}
