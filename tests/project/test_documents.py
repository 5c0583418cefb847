"""What documents promise is there, and every command in them runs."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
import yaml
from documents import PAGES, blocks, is_for_work, run_commands
from snake import ROOT

import update_commands
from exp_to_source import __version__
from exp_to_source.sources import families, listing, products, source_list
from exp_to_source.verify import verdicts

TESTS = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))

#: Why a block may be left out.
REASONS = (
    *("needs the network", "needs a cluster", "takes minutes", "needs your data"),
    "needs another package",
)

#: Pages whose blocks are parts of files, or need the jwst package, and the tests that use them.
TESTED_ELSEWHERE = {
    "docs/cluster.md": "slurm",
    "docs/deploy.md": "workflow/test_deployment.py",
    "docs/module.md": "workflow/test_module.py",
    "docs/how-to/notebook.md": "spectra/test_pages.py",
    "docs/how-to/spectra.md": "spectra/test_pages.py",
    "docs/tutorial.md": "spectra/test_pages.py",
}


#: Pages about the working directory of the README, and those by themselves.
TESTED = [page for page in PAGES if blocks(page) and page not in TESTED_ELSEWHERE]
OF_WORK = ["README.md", *filter(is_for_work, TESTED)]


@pytest.mark.parametrize(
    "pages",
    [OF_WORK, *([page] for page in TESTED if page not in OF_WORK)],
    ids=lambda pages: pages[0],
)
def test_commands_of_documents(pages: list[str], tmp_path: Path):
    run_commands(tmp_path, *pages)


@pytest.mark.parametrize("page", TESTED_ELSEWHERE)
def test_other_tests_run_commands_of_documents(page: str):
    test = ROOT / "tests" / TESTED_ELSEWHERE[page]
    sources = test.rglob("test_*.py") if test.is_dir() else [test]
    assert any(Path(page).name in source.read_text(encoding="utf-8") for source in sources)


def test_blocks_that_are_not_tested_say_why():
    untested = [(page, *block) for page in PAGES for block in blocks(page) if block.marker]
    for page, _, marker, code in untested:
        print(f"{page}: {marker}\n{code}")  # With pytest -rP, a list of them.
        assert marker.startswith(tuple(f"not-tested: {reason}" for reason in REASONS)), page
    # In the pages that one learns from, what is not tested is the exception.
    count = Counter(page for page, *_ in untested)
    assert count["README.md"] <= 2 and count["docs/tutorial.md"] <= 3


@pytest.mark.parametrize("page", PAGES)
def test_other_spellings_of_blocks_are_not_used(page: str):
    """A block that calls itself bash, shell or py would not be found by the tests above."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert not re.findall(r"^ *```(?:bash|shell|console|py|python3|pycon)\b.*", text, re.M)
    assert not re.findall(r"^ *~~~.*", text, re.M)


@pytest.mark.parametrize("page", PAGES)
def test_tests_that_are_named_exist(page: str):
    named = set(re.findall(r"`(test_\w+)`", (ROOT / page).read_text(encoding="utf-8")))
    assert {name for name in named if f"def {name}(" not in TESTS} == set()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str):
    path = ROOT / page
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_map_of_the_code_names_existing_files():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    library = ROOT / "scripts" / "exp_to_source"
    files = [name for name in re.findall(r"`([\w/]+/\w*\.?\w*)`", text) if "results/" not in name]
    assert len(files) > 20
    assert {
        name for name in files if not any((root / name).exists() for root in (library, ROOT))
    } == set()


def test_reference_of_commands_is_what_they_say():
    page = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    # Versions of Python break lines elsewhere.
    assert page.split() == update_commands.format_page().split(), "run scripts/update_commands.py"


def first_column(page: str, heading: str) -> list[str]:
    """Names in the first column of the table below a heading."""
    text = (ROOT / page).read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_reference_of_files_is_what_is_written():
    page = "docs/reference/files.md"
    listed = first_column("docs/how-to/see.md", "The source list")
    assert listed == list(source_list.COLUMNS)
    slit = families.Slit("exposure", "digest", 1, "name", "slit", "", 7, 100)
    about = {"table_name": "x_asn.json"}
    manifest = products.manifest(products.Product("product", 1, "s", about, [slit], ("a", "b")))
    names = dict.fromkeys(line.partition("\t")[0] for line in manifest.decode().splitlines())
    assert first_column(page, "results/manifests/") == list(names)
    for columns in (verdicts.COLUMNS, listing.LEFT_OUT_COLUMNS):
        row = ", ".join(f"`{column}`" for column in columns)
        assert row in (ROOT / page).read_text(encoding="utf-8")


def test_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert project["version"] == citation["version"] == __version__
    assert project["license"] == citation["license"]
    assert f"## [{__version__}] - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_workflows_of_github_and_hooks_run_what_make_runs():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)", makefile, re.MULTILINE)[1].split())
    commands = [
        step["run"]
        for path in (ROOT / ".github" / "workflows").glob("*.yml")
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
        for step in job.get("steps", ())
        if "run" in step
    ]
    used = [words[1] for words in map(str.split, commands) if words[0] == "make"]
    assert {"test", "lint", "docs", "dist"} <= set(used) <= targets
    lint = re.search(r"^lint: .*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1]
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    programs = {hook["entry"].split()[0] for repo in hooks for hook in repo["hooks"]}
    assert all(program.replace(".venv/bin", "$(BIN)") in lint for program in programs)
