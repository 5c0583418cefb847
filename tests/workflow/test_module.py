"""The workflow as part of another one, and from its other entry file."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from astropy.io import fits
from snake import ROOT, Workflow, change_slit, commit

FAMILY = "jw10006-o010_{}_nirspec_f170lp-g235m"
SOURCE = f"{FAMILY.format('s00061')}_cal.fits"
GUIDE = (ROOT / "docs" / "module.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"```python\n(.*?)```", GUIDE, re.DOTALL)[1]
EXAMPLE_CONFIG = re.search(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)[1]
ONE_CHANGED = {"exp_index_exposure": 1, "exp_list_sources": 1, "exp_gather_source": 1}

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
WAYS = {
    "no prefix": ("Snakefile", "", "results"),
    "absolute prefix": (
        "workflow/Snakefile",
        'prefix: "{folder}/scratch"',
        "{folder}/scratch/results",
    ),
    "replaced prefix": ("Snakefile", 'replace_prefix: {{"results/": "made/"}}', "made"),
}

#: A rule with changes of the consumer's.
OVERRIDE = """
use rule gather_source from regroup as exp_gather_source with:
    threads: 2
    message: "Mine: {output}"
"""


class Consumer(Workflow):
    """A workflow that uses ours; its Snakefile and configuration are in its working directory."""

    def __init__(self, folder: Path, snakefile: str, data: Path) -> None:
        super().__init__(folder, {"unrelated": "value"}, folder)
        shutil.copytree(data, folder / "data")
        (folder / "Snakefile").write_text(snakefile)
        self.configure(exposures="data")

    def configure(self, **config: object) -> None:
        """Write the configuration of the module."""
        (self.folder / "config.yaml").write_text(yaml.safe_dump({"exp_to_source": config}))

    def files(self, place: str) -> dict[str, bytes]:
        """Content of the files of a folder by name."""
        return {path.name: path.read_bytes() for path in sorted((self.folder / place).iterdir())}

    def append(self, text: str) -> None:
        """Add to the Snakefile."""
        path = self.folder / "Snakefile"
        path.write_text(path.read_text() + text)


def consumer(
    folder: Path,
    finished: Workflow,
    entry: str = "Snakefile",
    prefix: str = 'prefix: "sub/regrouped"',
) -> Consumer:
    text = CONSUMER.format(root=ROOT, entry=entry, prefix=prefix.format(folder=folder))
    return Consumer(folder, text, finished.folder / "data")


def test_example_of_the_documents(finished: Workflow, tmp_path: Path):
    text = EXAMPLE.replace("/path/to/exp_to_source", str(ROOT))
    work = Consumer(tmp_path / "work", text, finished.folder / "data")
    (work.folder / "config.yaml").write_text(EXAMPLE_CONFIG)
    result = work.run()
    assert result.status == 0, result.text
    regrouping = {"exp_index_exposure": 3, "exp_list_sources": 1, "exp_gather_source": 5}
    assert result.jobs == regrouping | {"measure": 5}
    where = "regrouped/results/products"
    assert f"5 products in {work.folder}/{where} (" in result.text
    assert ": 5 new\n" in result.text
    assert work.files(where) == finished.products
    assert {name: int(text) for name, text in work.files("measured").items()} == {
        name.replace(".fits", ".txt"): len(content) for name, content in finished.products.items()
    }
    assert {path.name for path in work.folder.iterdir()} == {
        *("Snakefile", "config.yaml", "data", "regrouped", "measured", ".snakemake")
    }
    change_slit(sorted((work.folder / "data").iterdir())[1], 61)
    result = work.run()
    assert result.jobs == ONE_CHANGED | {"measure": 1}
    assert ": 1 rebuilt, 4 unchanged" in result.text


@pytest.mark.parametrize("way", WAYS)
def test_ways_of_use(finished: Workflow, tmp_path: Path, way: str):
    entry, how, results = WAYS[way]
    work = consumer(tmp_path / "work", finished, entry, how)
    work.append(OVERRIDE)
    results = results.format(folder=work.folder)
    result = work.run("--quiet=host")
    assert result.status == 0, result.text
    assert result.text.count(f": Mine: {results}/") == len(finished.products)
    assert work.files(f"{results}/products") == finished.products


def test_only_what_changed_is_rerun_and_other_targets(finished: Workflow, tmp_path: Path):
    work = consumer(tmp_path / "work", finished)
    assert work.make()["exp_gather_source"] == 5
    place = "sub/regrouped/results"
    results = work.folder / place
    assert work.files(f"{place}/products") == finished.products
    first = sorted((work.folder / "data").iterdir())[0]
    change_slit(first, 61)
    assert work.make("--rerun-triggers=mtime") == ONE_CHANGED
    first.unlink()
    # Two of its sources are in other exposures.
    assert work.make() == {"exp_list_sources": 1, "exp_gather_source": 2}
    listed = (results / "sources.tsv").read_text().splitlines()[1:]
    assert len(list((results / "stale").iterdir())) == 5 - len(listed) > 0
    missing = work.run(f"{place}/products/{SOURCE.replace('s00061', 's00099')}")
    assert missing.status == 1
    assert "the exposures have no such source" in missing.text
    assert f"see {place}/sources.tsv" in missing.text
    work.configure(exposures="data", sources="61-62")
    name = f"{place}/quicklook/{FAMILY.format('s00061')}.png"
    jobs = work.make("exp_report", "exp_verify", name)
    assert [jobs[f"exp_{rule}"] for rule in ("draw_quicklook", "write_report", "verify")] == [1] * 3
    rows = (results / "verify.tsv").read_text().splitlines()[1:]
    assert [row.split("\t")[3] for row in rows] == ["sound"] * 2


def test_module_of_a_module(finished: Workflow, tmp_path: Path):
    work = consumer(tmp_path / "work", finished)
    inner = (work.folder / "Snakefile").read_text().replace('configfile: "config.yaml"', "")
    (work.folder / "inner.smk").write_text(inner)
    outer = CONSUMER.format(root=work.folder, entry="inner.smk", prefix='prefix: "outer"')
    outer = outer.replace('config["exp_to_source"]', "config")
    (work.folder / "Snakefile").write_text(
        outer.replace("exp_all.input.products", "exp_exp_all.input.products")
    )
    assert work.make()["exp_exp_gather_source"] == 5
    assert work.files("outer/sub/regrouped/results/products") == finished.products


def test_configuration_of_a_module(finished: Workflow, tmp_path: Path):
    """An example, a key that is unknown, an association."""
    work = consumer(tmp_path / "work", finished)
    work.configure(demo=True)
    result = work.run("-n", "--quiet=host")
    assert re.search(r"\nexp_index_exposure +3\n", result.text), result.text
    assert "exp_simulate_exposures" in result.text
    assert "sub/regrouped/exposures/jw10006010001_03101_00003_nrs1_cal.fits" in result.text
    work.configure(mine=1)
    result = work.run("-n")
    assert result.status == 1
    assert "exp-to-source: configuration: unknown key 'mine'; the keys are expos" in result.text
    assert "Traceback" not in result.text
    data = work.folder / "data"
    members = [{"expname": path.name, "exptype": "science"} for path in sorted(data.iterdir())]
    products = [{"name": FAMILY.format("{source_id}"), "members": members}]
    path = data / "jw10006-o010_20260101t000000_spec3_00001_asn.json"
    path.write_text(json.dumps({"asn_type": "spec3", "products": products}))
    work.configure(associations=f"data/{path.name}")
    assert work.make()["exp_gather_source"] == 5
    header = fits.getheader(work.folder / "sub/regrouped/results/products" / SOURCE)
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
    prefix: "of_{name}"

use rule * from {name} as {name}_*
"""


def test_two_programs_in_one_workflow(finished: Workflow, tmp_path: Path):
    """The second is the first exposure of the first."""
    modules = [ONE_OF_TWO.format(name=name, root=ROOT) for name in "ab"]
    work = Consumer(
        tmp_path / "work", TWO.format(modules="".join(modules)), finished.folder / "data"
    )
    (work.folder / "data").rename(work.folder / "a")
    (work.folder / "b").mkdir()
    own = Path(shutil.copy2(sorted((work.folder / "a").iterdir())[0], work.folder / "b"))
    jobs = work.make()
    assert work.files("of_a/results/products") == finished.products
    few = work.files("of_b/results/products")
    assert 0 < len(few) < 5
    assert jobs == {
        **{"a_index_exposure": 3, "a_list_sources": 1, "a_gather_source": 5},
        **{"b_index_exposure": 1, "b_list_sources": 1, "b_gather_source": len(few)},
    }
    change_slit(own, 61)
    assert work.make() == {"b_index_exposure": 1, "b_list_sources": 1, "b_gather_source": 1}
    assert work.files("of_a/results/products") == finished.products


MAKER = """
rule fetch:
    input:
        "archive/{name}",
    output:
        "data/{name}_cal.fits",
    shell:
        "cp {input} {output}"
"""


def test_exposures_that_the_consumer_makes(finished: Workflow, tmp_path: Path):
    """As a rule would that downloads them, from S3 for example."""
    work = consumer(tmp_path / "work", finished)
    work.append(MAKER)
    archive = work.folder / "archive"
    archive.mkdir()
    paths = sorted((work.folder / "data").iterdir())
    work.configure(exposures=[f"data/{path.name}" for path in paths])
    for path in paths:
        path.rename(archive / path.name.removesuffix("_cal.fits"))
    jobs = work.make()
    assert jobs["fetch"] == jobs["exp_index_exposure"] == 3
    assert work.files("sub/regrouped/results/products") == finished.products
    change_slit(sorted(archive.iterdir())[1], 61)
    assert work.make() == ONE_CHANGED | {"fetch": 1}


def test_a_snakefile_without_its_library_is_refused(finished: Workflow, tmp_path: Path):
    """With gitfile(...), Snakemake takes single files out of a repository."""
    repository = tmp_path / "repository"
    shutil.copytree(ROOT / "workflow" / "rules", repository / "ours" / "workflow" / "rules")
    shutil.copy(ROOT / "Snakefile", repository / "ours")
    commit(repository, "v1")
    work = consumer(tmp_path / "work", finished)
    place = f"git+file://{repository}/ours/Snakefile@v1"
    text = (work.folder / "Snakefile").read_text()
    (work.folder / "Snakefile").write_text(text.replace(f"{ROOT}/Snakefile", place))
    result = work.run()
    assert result.status == 1
    assert "no library; use a clone, its package, github() or gitlab()" in result.text
    assert "Traceback" not in result.text


def test_both_entry_files_run_the_same(finished: Workflow, tmp_path: Path):
    other = Workflow(tmp_path, {"exposures": finished.folder / "data"}, ROOT / "workflow")
    # From a folder that has no profiles of its own.
    done = subprocess.run(other.command(), cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"workflow specific profile {ROOT}/workflow/profiles/default" in done.stderr
    assert other.products == finished.products
    assert f"{len(finished.products)} new" in done.stderr
    assert Workflow(tmp_path, other.config).make() == {}


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
