"""The workflow, run as its users run it."""

import re
import shutil
from pathlib import Path

import yaml
from astropy.io import fits
from eras import write_legacy
from snake import ROOT, Workflow

from exp_to_source.tables import read_table
from exp_to_source.workflow.configuration import SCHEMA


def test_one_product_by_its_name_then_all(work: Workflow):
    """Each lists its exposures in order."""
    for name in ("results", ".snakemake"):
        shutil.rmtree(work.folder / name)
    target = "results/products/jw10006-o010_s00061_nirspec_f170lp-g235m_cal.fits"
    assert work.make(target)["gather_source"] == 1
    assert list(work.products) == [Path(target).name]
    assert work.make() == {"gather_source": 4}
    paths = sorted((work.folder / "results" / "products").iterdir())
    for row, path in zip(work.sources, paths, strict=True):
        history = fits.getheader(path)["HISTORY"]
        files = [line for line in history if line.endswith("_cal.fits")]
        assert files == [f"{name}.fits" for name in row["exposure_names"].split(",")]
    assert {row["exposures"] for row in work.sources} == {"1", "2", "3"}


def test_shipped_configuration_and_schema_agree():
    schema = yaml.safe_load(SCHEMA.read_text())
    shipped = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    assert shipped == {key: about["default"] for key, about in schema["properties"].items()}
    assert all(about["description"] for about in schema["properties"].values())
    readme = (ROOT / "config/README.md").read_text()
    assert all(f"`{key}`" in readme for key in schema["properties"])


def test_legacy_exposures(tmp_path: Path):
    """They are regrouped, and verified as far as can be; numbers of slits are a setting."""
    write_legacy(tmp_path / "data")
    workflow = Workflow(tmp_path, {"exposures": "data"})
    assert workflow.run("verify").status == 1
    assert [row["exposures"] for row in workflow.sources] == ["3"] * 5
    verdicts = read_table(str(tmp_path / "results" / "verify.tsv"))
    assert {row["status"] for row in verdicts} == {"unproved"}
    for row in verdicts:
        assert re.search(
            "tree of its exposures, but cannot be opened .*; jw.* cannot be", row["verdict"]
        )
    sentence = "could not be proved to open, as exposures of theirs do not open either"
    assert sentence in workflow.log("verify")
    # Only the numbers of two slits are others in the table.
    assert workflow.make(fixed_slit_ids="table") == {"list_sources": 1, "gather_source": 2}
    by_slit = {row["slit_name"]: row["product"] for row in workflow.sources}
    assert by_slit["S400A1"] == "jw10006-o010_s00003_nirspec_f170lp-g235m-s400a1"
    assert by_slit["S1600A1"] == "jw10006-o010_s00004_nirspec_f170lp-g235m-s1600a1"
