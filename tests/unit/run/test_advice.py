"""Commands that are nearly right get the right one."""

import json
from pathlib import Path

import pytest
import yaml

from exp_to_source.run.advice import advice_on_settings, advice_on_target
from exp_to_source.run.inputs import find_exposures

PRODUCT = "jw10006-o010_s00061_nirspec_f170lp-g235m"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (f"WORK/results/products/{PRODUCT}_cal.fits", f"results/products/{PRODUCT}_cal.fits"),
        ("/w/WORK/results/report.html", "results/report.html"),
        (PRODUCT, f"results/products/{PRODUCT}_cal.fits"),
        (f"{PRODUCT}_cal", f"results/products/{PRODUCT}_cal.fits"),
        (f"{PRODUCT}_cal.fits", f"results/products/{PRODUCT}_cal.fits"),
        (f"products/{PRODUCT}_cal.fits", f"results/products/{PRODUCT}_cal.fits"),
        (f"{PRODUCT}_x1d.fits", f"results/spec3/{PRODUCT}_x1d.fits"),
        (f"{PRODUCT}_s2d.fits", f"results/spec3/{PRODUCT}_x1d.fits"),
        (f"results/spec3/{PRODUCT}_c1d.fits", f"results/spec3/{PRODUCT}_x1d.fits"),
        ("my-s00061.png", "results/quicklook/my-s00061.png"),
        (f"{PRODUCT}.png", f"results/quicklook/{PRODUCT}.png"),
        ("sources.tsv", "results/sources.tsv"),
    ],
)
def test_files_get_their_path(typed: str, meant: str):
    said = advice_on_target(
        f"MissingRuleException:\nNo rule to produce {typed} (if", ["--directory", "WORK", typed]
    )
    assert said.endswith(f"command is: snakemake --directory WORK {meant}")


def test_other_targets():
    assert "did you mean 'report'" in advice_on_target("No rule to produce raport (if", ["raport"])
    for typed in ("nonsense", "results/products/jw1_cal.fits", f"results/{PRODUCT}"):
        assert advice_on_target(f"No rule to produce {typed} (if", [typed]) == ""
    assert advice_on_target("No rule to produce x (if", ["y", "results"]) == ""
    for typed in ("61", "100-120", "b00045"):
        said = advice_on_target(f"No rule to produce {typed} (if", [typed])
        assert said.endswith(f"to choose sources, write --config sources={typed}")
    assert advice_on_target("Another message", ["report"]) == ""


def test_settings_of_the_last_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    own = "config/config.yaml"
    assert "for example" in advice_on_settings("results", own)
    Path("results").mkdir()
    for content in ("", "[]", "{}", '{"settings": {"sources": "61"}}'):
        Path("results", "summary.json").write_text(content)
        assert "for example" in advice_on_settings("results", own)
    settings = {"exposures": ["/a*.fits", "/b.fits"], "sources": "61"}
    Path("results", "summary.json").write_text(json.dumps({"settings": settings}))
    first, *lines = advice_on_settings("results", own).splitlines()
    assert str(tmp_path) in first and first.endswith(f"{tmp_path}/{own}")
    assert lines == ["exposures: [/a*.fits, /b.fits]", "sources: '61'"]
    settings = {"exposures": "/a/jw*_cal.fits", "spec3": {"extract_1d": {"skip": True}}}
    Path("results", "summary.json").write_text(json.dumps({"settings": settings}))
    assert (
        yaml.safe_load("\n".join(advice_on_settings("results", own).splitlines()[1:])) == settings
    )


def test_files_of_the_folder_that_the_user_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a_cal.fits").touch()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PWD", str(tmp_path))
    with pytest.raises(Exception, match=rf"--directory, .*; write exposures='{tmp_path}/\*_cal"):
        find_exposures("*_cal.fits")
