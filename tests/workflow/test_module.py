"""The workflow as part of another one, and from its other entry file."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from astropy.io import fits
from snake import ROOT, Workflow, change_slit

from exp_to_source.simulate.exposures import Simulation, simulate

pytestmark = pytest.mark.usefixtures("fixed_date")

SHAPE = (4, 8)
SOURCE = "jw10006-o010_s00061_nirspec_f170lp-g235m_cal"
GUIDE = (ROOT / "docs" / "module.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"```python\n(.*?)```", GUIDE, re.DOTALL)[1]
EXAMPLE_CONFIG = re.search(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)[1]

#: A workflow that makes products and no more, from each entry file, with each kind of prefix.
CONSUMER = """
configfile: "config.yaml"


rule all:
    input:
        lambda wildcards: rules.exp_all.input.products(wildcards),

module regroup:
    snakefile:
        "{root}/{entry}"
    config:
        config["exp_to_source"]
    {prefix}

use rule * from regroup as exp_*
"""
PREFIX = ("Snakefile", 'prefix: "sub/regrouped"')
WAYS = {
    "no prefix": ("Snakefile", "", ""),
    "other entry": ("workflow/Snakefile", 'prefix: "regrouped/"', "regrouped/"),
    "absolute prefix": ("Snakefile", 'prefix: "{folder}/scratch"', "{folder}/scratch/"),
    "replaced prefix": ("Snakefile", 'replace_prefix: {{"results/": "made/"}}', None),
}

#: A rule with changes of the consumer's.
OVERRIDE = """
use rule gather_source from regroup as exp_gather_source with:
    threads: 2
    message: "Mine: {output}"
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A finished run of the workflow itself."""
    folder = tmp_path_factory.mktemp("plain") / "work"
    simulate(Simulation(overlap="partial", shape=SHAPE, association=True), folder / "data")
    work = Workflow(folder, {"exposures": "data"})
    work.make()
    return work


class Consumer(Workflow):
    """A workflow that uses ours; its Snakefile and configuration are in its working directory."""

    def __init__(self, folder: Path, snakefile: str, data: Path) -> None:
        super().__init__(folder, {"unrelated": "value"}, folder)
        shutil.copytree(data, folder / "data", dirs_exist_ok=True)
        (folder / "Snakefile").write_text(snakefile)
        self.configure(exposures="data")

    def configure(self, **config: object) -> None:
        """Write the configuration of the module."""
        (self.folder / "config.yaml").write_text(yaml.safe_dump({"exp_to_source": config}))

    @property
    def sources(self) -> list[str]:
        """Lines of the source list, but for the titles."""
        table = self.folder / "sub" / "regrouped" / "results" / "sources.tsv"
        return table.read_text().splitlines()[1:]

    def files(self, place: str) -> dict[str, bytes]:
        """Content of the files of a folder by name."""
        return {path.name: path.read_bytes() for path in sorted((self.folder / place).iterdir())}

    def append(self, text: str) -> None:
        """Add to the Snakefile."""
        path = self.folder / "Snakefile"
        path.write_text(path.read_text() + text)


@pytest.fixture(scope="module")
def consumed(plain: Workflow, tmp_path_factory: pytest.TempPathFactory) -> Consumer:
    """A finished run of a workflow that uses ours with a prefix."""
    work = consumer(tmp_path_factory.mktemp("consumed"), plain)
    assert work.make() == {
        "exp_index_exposure": 3,
        "exp_list_sources": 1,
        "exp_gather_source": len(plain.products),
    }
    assert work.files("sub/regrouped/results/products") == plain.products
    return work


@pytest.fixture
def work(consumed: Consumer, tmp_path: Path) -> Consumer:
    """A copy of that run."""
    shutil.copytree(consumed.folder, tmp_path / "work")
    text = (consumed.folder / "Snakefile").read_text()
    return Consumer(tmp_path / "work", text, consumed.folder / "data")


def consumer(
    folder: Path, plain: Workflow, entry: str = PREFIX[0], prefix: str = PREFIX[1]
) -> Consumer:
    text = CONSUMER.format(root=ROOT, entry=entry, prefix=prefix.format(folder=folder))
    return Consumer(folder, text, plain.folder / "data")


def test_example_of_the_documents(plain: Workflow, tmp_path: Path):
    work = Consumer(
        tmp_path, EXAMPLE.replace("/path/to/exp_to_source", str(ROOT)), plain.folder / "data"
    )
    (tmp_path / "config.yaml").write_text(EXAMPLE_CONFIG)
    count = len(plain.products)
    result = work.run()
    assert result.status == 0, result.text
    assert result.jobs == {
        "exp_index_exposure": 3,
        "exp_list_sources": 1,
        "exp_gather_source": count,
        "measure": count,
    }
    where = "regrouped/results/products"
    assert f"{count} products in {tmp_path}/{where} (" in result.text
    assert f": {count} new\n" in result.text
    assert work.files(where) == plain.products
    assert {name: int(text) for name, text in work.files("measured").items()} == {
        name.replace(".fits", ".txt"): len(content) for name, content in plain.products.items()
    }
    assert {path.name for path in tmp_path.iterdir()} == {
        *("Snakefile", "config.yaml", "data", "regrouped", "measured", ".snakemake")
    }
    change_slit(sorted((tmp_path / "data").glob("*.fits"))[1], 61)
    result = work.run()
    assert result.jobs == {
        "exp_index_exposure": 1,
        "exp_list_sources": 1,
        "exp_gather_source": 1,
        "measure": 1,
    }
    assert f": 1 rebuilt, {count - 1} unchanged" in result.text


@pytest.mark.parametrize("way", WAYS)
def test_ways_of_use(plain: Workflow, tmp_path: Path, way: str):
    entry, how, prefix = WAYS[way]
    work = consumer(tmp_path, plain, entry, how)
    work.append(OVERRIDE)
    results = "made" if prefix is None else f"{prefix.format(folder=tmp_path)}results"
    result = work.run("--quiet=host")
    assert result.status == 0, result.text
    assert result.text.count(f": Mine: {results}/") == len(plain.products)
    assert work.files(f"{results}/products") == plain.products
    assert work.make(f"{results}/products/{SOURCE}.fits") == {}


def test_only_what_changed_is_rerun(work: Consumer):
    results = work.folder / "sub" / "regrouped" / "results"
    (results / "manifests" / f"{SOURCE.removesuffix('_cal')}.txt").unlink()
    assert work.make() == {"exp_list_sources": 1}
    first = sorted((work.folder / "data").glob("*.fits"))[0]
    change_slit(first, 61)
    assert work.make("--rerun-triggers=mtime") == {
        "exp_index_exposure": 1,
        "exp_list_sources": 1,
        "exp_gather_source": 1,
    }
    before = len(work.files("sub/regrouped/results/products"))
    first.unlink()
    # Three of its sources are in other exposures.
    assert work.make() == {"exp_list_sources": 1, "exp_gather_source": 3}
    assert len(list((results / "stale").iterdir())) == before - len(work.sources)
    missing = work.run(f"sub/regrouped/results/products/{SOURCE.replace('s00061', 's00099')}.fits")
    assert missing.status == 1
    assert "the exposures have no such source" in missing.text
    assert "see sub/regrouped/results/sources.tsv" in missing.text


def test_other_targets(work: Consumer):
    results = work.folder / "sub" / "regrouped" / "results"
    work.configure(exposures="data", sources="60-61")
    name = f"sub/regrouped/results/quicklook/{SOURCE.removesuffix('_cal')}.png"
    jobs = work.make("exp_report", "exp_verify", name)
    assert [jobs[f"exp_{rule}"] for rule in ("draw_quicklook", "write_report", "verify")] == [1] * 3
    assert (results / "report.html").is_file()
    rows = (results / "verify.tsv").read_text().splitlines()[1:]
    assert [row.split("\t")[3] for row in rows] == ["sound"] * 2


def test_module_of_a_module(plain: Workflow, tmp_path: Path):
    work = consumer(tmp_path, plain)
    inner = (tmp_path / "Snakefile").read_text().replace('configfile: "config.yaml"', "")
    (tmp_path / "inner.smk").write_text(inner)
    outer = CONSUMER.format(root=tmp_path, entry="inner.smk", prefix='prefix: "outer"')
    outer = outer.replace('config["exp_to_source"]', "config")
    (tmp_path / "Snakefile").write_text(
        outer.replace("exp_all.input.products", "exp_exp_all.input.products")
    )
    assert work.make()["exp_exp_gather_source"] == len(plain.products)
    assert work.files("outer/sub/regrouped/results/products") == plain.products


def test_demo(plain: Workflow, tmp_path: Path):
    work = consumer(tmp_path, plain)
    work.configure(demo=True)
    assert work.make()["exp_simulate_exposures"] == 1
    assert len(work.files("sub/regrouped/results/products")) == 5
    assert len(work.files("sub/regrouped/exposures")) == 3


def test_associations_and_a_key_that_is_unknown(plain: Workflow, tmp_path: Path):
    path = next((plain.folder / "data").glob("*_asn.json"))
    work = consumer(tmp_path, plain)
    work.configure(mine=1)
    result = work.run("-n")
    assert result.status == 1
    assert "exp-to-source: configuration: unknown key 'mine'; the keys are expos" in result.text
    assert "Traceback" not in result.text
    work.configure(associations=f"data/{path.name}")
    assert work.make()["exp_gather_source"] == len(plain.products)
    header = fits.getheader(tmp_path / f"sub/regrouped/results/products/{SOURCE}.fits")
    assert header["ASNTABLE"] == path.name


TWO = """
{modules}
rule all:
    default_target: True
    input:
        rules.a_all.input.products,
        rules.b_all.input.products,
"""
ONE_OF_TWO = """
module {name}:
    snakefile: "{root}/Snakefile"
    config: {{"exposures": "{name}"}}
    prefix: "{prefix}"

use rule * from {name} as {name}_*
"""


def two(folder: Path, plain: Workflow, *prefixes: str) -> Consumer:
    """A consumer of two programs: the second is the first exposure of the first."""
    modules = [
        ONE_OF_TWO.format(name=name, root=ROOT, prefix=prefix)
        for name, prefix in zip("ab", prefixes, strict=True)
    ]
    work = Consumer(folder, TWO.format(modules="".join(modules)), plain.folder / "data")
    (folder / "data").rename(folder / "a")
    (folder / "b").mkdir()
    first = sorted((folder / "a").glob("*.fits"))[0]
    shutil.copy2(first, folder / "b")
    return work


def test_two_programs_in_one_workflow(plain: Workflow, tmp_path: Path):
    work = two(tmp_path, plain, "one", "two")
    jobs = work.make()
    assert work.files("one/results/products") == plain.products
    few = work.files("two/results/products")
    assert 0 < len(few) < len(plain.products)
    assert jobs == {
        "a_index_exposure": 3,
        "a_list_sources": 1,
        "a_gather_source": len(plain.products),
        "b_index_exposure": 1,
        "b_list_sources": 1,
        "b_gather_source": len(few),
    }
    change_slit(next((tmp_path / "b").iterdir()), 61)
    assert work.make() == {"b_index_exposure": 1, "b_list_sources": 1, "b_gather_source": 1}
    assert work.files("one/results/products") == plain.products


def test_two_programs_with_one_prefix_are_refused(plain: Workflow, tmp_path: Path):
    result = two(tmp_path, plain, "one", "one").run("-n")
    assert result.status == 1
    assert "AmbiguousRuleException" in result.text


MAKER = """
rule fetch:
    input:
        "archive/{name}",
    output:
        "data/{name}_cal.fits",
    shell:
        "cp {input} {output}"
"""


def test_exposures_that_the_consumer_makes(plain: Workflow, tmp_path: Path):
    """As a rule would that downloads them, from S3 for example."""
    work = consumer(tmp_path, plain)
    work.append(MAKER)
    (tmp_path / "archive").mkdir()
    paths = sorted((tmp_path / "data").glob("*_cal.fits"))
    work.configure(exposures=[f"data/{path.name}" for path in paths])
    for path in paths:
        path.rename(tmp_path / "archive" / path.name.removesuffix("_cal.fits"))
    jobs = work.make()
    assert jobs["fetch"] == jobs["exp_index_exposure"] == 3
    assert work.files("sub/regrouped/results/products") == plain.products
    archived = sorted((tmp_path / "archive").iterdir())[1]
    change_slit(archived, 61)
    assert work.make() == {
        "fetch": 1,
        "exp_index_exposure": 1,
        "exp_list_sources": 1,
        "exp_gather_source": 1,
    }
    for name in ("sources.tsv", "sources.ecsv", "exposures.tsv", "regions.reg", "settings.json"):
        (tmp_path / "sub" / "regrouped" / "results" / name).unlink()
    work.configure(exposures="nowhere/x_cal.fits")
    result = work.run()
    assert result.status == 1
    assert "MissingInputException in rule exp_index_exposure" in result.text
    assert "nowhere/x_cal.fits" in result.text


def test_a_snakefile_without_its_library_is_refused(plain: Workflow, tmp_path: Path):
    """With gitfile(...), Snakemake takes single files out of a repository."""
    repository = tmp_path / "repository"
    git = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@y"]
    shutil.copytree(ROOT / "workflow" / "rules", repository / "ours" / "workflow" / "rules")
    shutil.copy(ROOT / "Snakefile", repository / "ours")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"], ["tag", "v1"]):
        subprocess.run([*git, *words], check=True)
    work = consumer(tmp_path / "work", plain)
    place = f"git+file://{repository}/ours/Snakefile@v1"
    text = (work.folder / "Snakefile").read_text()
    (work.folder / "Snakefile").write_text(text.replace(f"{ROOT}/Snakefile", place))
    result = work.run()
    assert result.status == 1
    assert "no library; use a clone, its package, github() or gitlab()" in result.text
    assert "Traceback" not in result.text


def test_both_entry_files_run_the_same(plain: Workflow, tmp_path: Path):
    other = Workflow(tmp_path, {"exposures": plain.folder / "data"}, ROOT / "workflow")
    # From a folder that has no profiles of its own.
    done = subprocess.run(other.command(), cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"workflow specific profile {ROOT}/workflow/profiles/default" in done.stderr
    assert other.products == plain.products
    assert f"{len(plain.products)} new" in done.stderr
    assert Workflow(tmp_path, other.config).make() == {}


def test_entry_files_have_the_same_rules():
    listed = {}
    for entry in ("Snakefile", "workflow/Snakefile"):
        command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / entry), "--list-rules"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        listed[entry] = set(done.stdout.split())
    assert listed["workflow/Snakefile"] - listed["Snakefile"] == {"default"}
    assert listed["Snakefile"] - listed["workflow/Snakefile"] == set()


def test_catalog_finds_the_workflow():
    """The catalog's conditions for its list of workflows of standardized usage."""
    for name in ("workflow/Snakefile", "config/README.md", "config/config.yaml"):
        assert (ROOT / name).is_file()
    about = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in about
    assert "workflow" in about
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
