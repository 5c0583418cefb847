"""The summary at the end of a run does not cry wolf, and ends with what is wrong."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from exp_to_source import __version__
from exp_to_source.files import replacing, write_all
from exp_to_source.run.ending import told
from exp_to_source.run.summary import (
    COMPLETE,
    FAILED,
    INTERRUPTED,
    Outcome,
    asked_for,
    outcome,
    product_states,
    write_summary,
)

REASON = "gather_source: x_cal.fits: changed since it was indexed; run again"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results of three products: an old one, one that is not there, and one to be made again."""
    folder = tmp_path / "results"
    for name in ("products", "manifests"):
        (folder / name).mkdir(parents=True)
    (folder / "sources.tsv").write_text("product\na\nb\nc\n")
    for name in "ac":
        (folder / "manifests" / f"{name}.json").touch()
        (folder / "products" / f"{name}_cal.fits").write_text("old")
    os.utime(folder / "products" / "a_cal.fits", (100, 100))
    return folder


def at_the_end(
    results: Path, before: dict[str, Any], ended: str = COMPLETE, **what: Any
) -> Outcome:
    """Facts about a run of ten seconds."""
    given = {"asked": ["all"], "reasons": [], "failed": [], "seconds": 10} | what
    return outcome(str(results), before, ended=ended, **given)


def test_restored_manifests_and_products_not_asked_for_are_no_failure(results: Path):
    before = product_states(str(results))
    where = f"3 products in {results}/products, 6 bytes, 10 s: "
    facts = at_the_end(results, before)
    assert told(facts) == [f"{where}2 unchanged, 1 not asked for"]
    lost = [f"results/products/{name}_cal.fits" for name in "ab"]
    facts = at_the_end(results, before, FAILED, failed=lost, reasons=[REASON, REASON])
    first, *names, then, last = told(facts)
    assert first == f"{where}1 unchanged, 2 failed"
    assert [name.split()[1] for name in names] == ["a", "b"]
    assert f"(see {results.parent}/logs/gather_source/a.log)" in names[0]
    assert (then, last) == ("once this is seen to, the same command goes on:", REASON)


def test_what_was_not_reached_is_not_called_failed(results: Path):
    before = product_states(str(results))
    facts = at_the_end(results, before, FAILED, failed=["results/products/b_cal.fits"])
    assert "1 unchanged, 1 failed, 1 not made" in told(facts)[0]
    by_name = at_the_end(results, before, FAILED, asked=["results/products/a_cal.fits"])
    assert (by_name.missing, by_name.not_asked) == ((), 2)


def test_what_was_made_is_told_without_a_clock(results: Path):
    """Times of file systems are coarse, and those of servers may be behind."""
    product = results / "products" / "c_cal.fits"
    before = product_states(str(results))
    time = product.stat().st_mtime_ns
    with replacing(product) as file:
        write_all(file, b"new")
    os.utime(product, ns=(time, time))
    (results / "products" / "b_cal.fits").write_text("new")
    (results / "left_out.tsv").write_text("product\nd\n")
    line, hint = told(at_the_end(results, before, seconds=3725))
    assert line.endswith(", 1 h 2 min: 1 new, 1 rebuilt, 1 unchanged, 1 left out by choice")
    assert "snakemake verify" in hint and "snakemake report" in hint


def test_nothing_was_there_before_the_first_run(tmp_path: Path):
    assert product_states(str(tmp_path)) == {}
    facts = at_the_end(tmp_path, {}, FAILED, reasons=["index_exposure: x: truncated"])
    assert told(facts) == [
        f"no sources are listed in {tmp_path} yet, and no products made",
        "once this is seen to, the same command goes on:",
        "index_exposure: x: truncated",
    ]


@pytest.mark.parametrize(
    ("target", "lines"),
    [
        (
            "sources",
            [
                "3 sources in {}/sources.tsv; nothing made",
                "next: the same command without 'sources' makes the products",
            ],
        ),
        ("quicklook", ["1 quick look in {}/quicklook, 10 s"]),
        ("spec3", ["2 spectra in {}/spec3, 10 s"]),
        ("verify", ["2 sound, 1 damaged: {}/verify.tsv"]),
        ("report", ["report: {}/report.html"]),
        ("results/products/a_cal.fits", ["made: {}/products/a_cal.fits"]),
    ],
)
def test_what_was_asked_for_is_told_with_its_path(results: Path, target: str, lines: list[str]):
    for name in ("quicklook/a.png", "quicklook/gone.png", "spec3/a_x1d.fits", "spec3/b_x1d.fits"):
        (results / name).parent.mkdir(exist_ok=True)
        (results / name).touch()
    (results / "verify.tsv").write_text("product\tstatus\na\tsound\nb\tdamaged\nc\tsound\n")
    facts = at_the_end(results, product_states(str(results)), asked=[target])
    assert told(facts) == [line.format(results) for line in lines]


def test_notes_come_before_what_is_wrong(results: Path):
    facts = at_the_end(results, {}, FAILED, reasons=[REASON])
    lines = told(facts, ["x: 2 files used, 1 passed over"])
    assert lines[1] == "x: 2 files used, 1 passed over"
    assert lines[-1] == REASON


def test_many_reasons_are_cut(results: Path):
    reasons = [f"gather_source: {n}: no space" for n in range(50)]
    *_, then = told(at_the_end(results, {}, FAILED, reasons=reasons))[:-10]
    assert then.endswith(f"goes on (10 of 50 reasons, all are in {results}/summary.json):")


def test_interruptions_are_one_line(results: Path):
    before = product_states(str(results))
    facts = at_the_end(results, before, INTERRUPTED)
    assert told(facts) == ["interrupted: 1 of 3 made; the same command goes on"]
    (results / "sources.tsv").unlink()
    (line,) = told(at_the_end(results, before, INTERRUPTED))
    assert line == "interrupted before the sources were listed; the same command goes on"


def test_targets_are_known_by_their_rules():
    assert asked_for({"gather_source", "verify", "sources"}, []) == ["sources", "verify"]
    assert asked_for({"gather_source"}, ["results/x"]) == ["results/x"]
    assert asked_for({"default"}, []) == ["all"]


def test_machines_read_the_same(results: Path):
    facts = at_the_end(results, product_states(str(results)), FAILED, reasons=[REASON])
    write_summary(facts, {"exposures": "/data"}, "9.27")
    said = json.loads((results / "summary.json").read_text())
    assert (said["ended"], said["reasons"], said["asked"]) == ("failed", [REASON], ["all"])
    assert (said["listed"], said["new"], said["unchanged"]) == (3, 0, 1)
    assert said["settings"] == {"exposures": "/data"}
    assert said["versions"]["exp_to_source"] == __version__
    assert [path.name for path in results.iterdir() if path.name.startswith(".")] == []
