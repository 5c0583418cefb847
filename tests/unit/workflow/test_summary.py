"""The summary at the end of a run does not cry wolf, and ends with what is wrong."""

import os
from pathlib import Path
from typing import Any

import pytest

from exp_to_source.files import atomic_write, write_all
from exp_to_source.workflow.summary import (
    COMPLETE,
    FAILED,
    INTERRUPTED,
    Counts,
    RunSummary,
    file_states,
    format_summary,
    requested_targets,
    summarize,
)

REASON = "exp-to-source gather: x_cal.fits: changed since it was indexed; run again"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results of three products: an old one, one that is not there, and one to be made again."""
    folder = tmp_path / "results"
    for name in ("products", "manifests"):
        (folder / name).mkdir(parents=True)
    (folder / "sources.tsv").write_text("product\tbytes\tclass\na\t3\ts\nb\t4\ts\nc\t3\tb\n")
    for name in "ac":
        (folder / "manifests" / f"{name}.txt").touch()
        (folder / "products" / f"{name}_cal.fits").write_text("old")
    os.utime(folder / "products" / "a_cal.fits", (100, 100))
    return folder


def at_the_end(
    results: Path, before: dict[str, Any], ended: str = COMPLETE, **fields: Any
) -> RunSummary:
    """Summary of a run of ten seconds."""
    failed, is_listed = fields.pop("failed", []), fields.pop("is_listed", True)
    fields = {"asked": ["all"], "reasons": [], "seconds": 10} | fields
    summary = RunSummary(results=str(results), ended=ended, **fields)
    return summarize(summary, before, failed, is_listed, ["s"])


def test_products_that_were_not_requested_or_not_reached_are_no_failures(results: Path):
    before = file_states(str(results))
    where = f"of 3 products in {results}/products"
    facts = at_the_end(results, before)
    assert format_summary(facts) == [f"2 {where} (6 bytes), 10 s: 2 unchanged, 1 not requested"]
    (results / "products" / "a_cal.fits").unlink()
    lost = [f"{results}/products/{name}_cal.fits" for name in "ab"]
    facts = at_the_end(results, before, FAILED, failed=lost, reasons=[REASON])
    logs = f"{results.parent}/logs/gather_source"
    assert format_summary(facts) == [
        f"1 {where} (3 bytes), 10 s: 1 unchanged, 2 failed",
        *(f"  failed: {name} (see {logs}/{name}.log)" for name in "ab"),
        REASON,
    ]
    facts = at_the_end(results, before, FAILED, failed=lost[1:])
    assert "1 unchanged, 1 failed, 1 not made" in format_summary(facts)[0]
    by_name = at_the_end(results, before, FAILED, asked=["results/products/a_cal.fits"])
    assert (by_name.missing, by_name.not_asked) == ((), 2)


def test_what_was_made_is_known_without_a_clock(results: Path):
    """Times of file systems are coarse, and those of servers may be behind."""
    product = results / "products" / "c_cal.fits"
    before = file_states(str(results))
    time = product.stat().st_mtime_ns
    with atomic_write(product) as file:
        write_all(file, b"new")
    os.utime(product, ns=(time, time))
    (results / "products" / "b_cal.fits").write_text("new")
    (results / "left_out.tsv").write_text("product\nd\n")
    line, hint = format_summary(at_the_end(results, before, seconds=3725))
    assert line.endswith(", 1 h 2 min: 1 new, 1 rebuilt, 1 unchanged, 1 left out by choice")
    assert hint == "next: the target 'report' makes a page on the sources, 'verify' checks products"


def test_nothing_was_there_before_the_first_run(tmp_path: Path):
    assert file_states(str(tmp_path)) == {}
    nothing = f"no sources are listed in {tmp_path} yet, and no products made"
    facts = at_the_end(tmp_path, {}, FAILED, reasons=[REASON])
    assert format_summary(facts) == [nothing, REASON]


def test_what_earlier_runs_left_is_not_what_this_run_made(results: Path):
    """Neither a source list, nor what is told of it, nor spectra."""
    for name in ("spec3/a_x1d.fits", "spec3/b_x1d.fits", "quicklook/a.png"):
        (results / name).parent.mkdir(exist_ok=True)
        (results / name).touch()
    (results / "skipped.tsv").write_text("exposure\tpath\treason\nb\tb.fits\tb.fits: truncated\n")
    before = file_states(str(results))
    facts = at_the_end(results, before, FAILED, reasons=[REASON], is_listed=False)
    assert facts.listed is None
    stay = f"no sources were listed; 2 products of earlier runs in {results}/products"
    assert format_summary(facts) == [stay, REASON]
    (results / "skipped.tsv").unlink()
    for name in "bc":
        (results / "spec3" / f"{name}_x1d.fits").write_text("new")
    facts = at_the_end(results, before, FAILED, reasons=[REASON], asked=["quicklook", "spec3"])
    assert (facts.quicklooks, facts.spectra) == (Counts(0, 1, 0, 2), Counts(2, 1))
    assert format_summary(facts)[:2] == [
        f"1 of 3 quick looks in {results}/quicklook, 10 s: 0 made, 1 of earlier runs, 2 not made",
        f"3 spectra in {results}/spec3, 10 s: 2 made, 1 of earlier runs",
    ]
    facts = at_the_end(results, before, FAILED, reasons=[REASON], asked=["results/products/a"])
    assert format_summary(facts) == [REASON]


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("sources", "3 sources in {}/sources.tsv"),
        ("quicklook", "1 quick look in {}/quicklook, 10 s: 1 made"),
        ("spec3", "2 spectra in {}/spec3, 10 s: 2 made"),
        ("verify", "1 sound, 1 damaged: {}/verify.tsv"),
        ("report", "report: {}/report.html (1 quick look drawn, too)"),
        ("catalog", "catalog: {}/catalog.fits"),
        ("results/products/a_cal.fits", "made: {}/products/a_cal.fits"),
    ],
)
def test_what_was_requested_is_listed_with_its_path(results: Path, target: str, line: str):
    before = file_states(str(results))
    for name in ("quicklook/a.png", "quicklook/gone.png", "spec3/a_x1d.fits", "spec3/b_x1d.fits"):
        (results / name).parent.mkdir(exist_ok=True)
        (results / name).touch()
    # Of those that are there.
    (results / "report.html").touch()
    (results / "catalog.fits").touch()
    rows = ("product\tstatus\tverdict", "a\tsound\tok", "b\tsound\tok", "c\tdamaged\tbad")
    (results / "verify.tsv").write_text("\n".join(rows))
    facts = at_the_end(results, before, asked=[target])
    next_step = ["next: the same command without 'sources' makes the products"]
    assert format_summary(facts) == [line.format(results), *next_step * (target == "sources")]
    again = format_summary(facts._replace(asked=["catalog", "spec3"]))[0]
    assert again.endswith("; run it once more to have the spectra of this run in it")


def test_spectra_that_failed_or_were_not_reached_are_counted(results: Path):
    (results / "spec3").mkdir()
    (results / "spec3" / "a_x1d.fits").touch()
    before = file_states(str(results))
    (results / "spec3" / "c_x1d.fits").touch()
    lost = [f"{results}/spec3/b_x1d.fits"]
    facts = at_the_end(results, before, FAILED, asked=["spec3"], failed=lost)
    where = f"spectra in {results}/spec3, 10 s:"
    assert format_summary(facts)[0] == f"2 of 3 {where} 1 made, 1 of earlier runs, 1 failed"
    # Of the background, none is requested.
    for name in "ac":
        (results / "spec3" / f"{name}_x1d.fits").unlink()
    facts = at_the_end(results, before, INTERRUPTED, asked=["spec3"])
    assert format_summary(facts)[0] == f"0 of 2 {where} 0 made, 2 not made"


def test_files_passed_over_are_one_line_and_damaged_exposures_one_each(results: Path):
    path = results / "skipped.tsv"
    rows = [f"t{n}\tt{n}.fits\tt{n}.fits: holds X\tImageModel (NRS_MSATA)" for n in range(8)]
    rows += ["x\tx.fits\tx.fits: holds X\tMultiSpecModel", "b\tb.fits\tb.fits: truncated\t"]
    path.write_text("\n".join(["exposure\tpath\treason\tother_kind", *rows]))
    facts = at_the_end(results, file_states(str(results)))
    assert (facts.skipped, facts.passed_over) == (1, 9)
    assert format_summary(facts)[-3:] == [
        "ignored 9 files of other kinds than spectroscopic exposures of many slits: "
        f"8 ImageModel (NRS_MSATA), 1 MultiSpecModel; see {path}",
        f"1 exposure skipped, see {path}:",
        "  skipped: b.fits: truncated",
    ]


def test_notes_come_before_what_is_wrong_and_many_reasons_are_cut(results: Path):
    reasons = [f"gather_source: {n}: no space" for n in range(50)]
    _, note, before, *last = format_summary(at_the_end(results, {}, FAILED, reasons=reasons), ["x"])
    assert note == "x"
    assert before == f"10 of 50 reasons, all are in {results}/summary.json:"
    assert last == reasons[:10]


def test_interruptions_are_one_line(results: Path):
    before = file_states(str(results))
    facts = at_the_end(results, before, INTERRUPTED)
    line, last = format_summary(facts)
    assert line.endswith("2 unchanged, 1 not made")
    assert last == "interrupted; run the same command again to continue"
    (results / "sources.tsv").unlink()
    line, last = format_summary(at_the_end(results, before, INTERRUPTED))
    assert line.startswith("no sources were listed; 2 products of earlier runs in")


@pytest.mark.parametrize(
    ("words", "targets"),
    [
        ("--directory W verify sources", ["sources", "verify"]),
        ("results/x", ["results/x"]),
        ("--cores 2", ["all"]),
        ("--quiet all -- report", ["report"]),
    ],
)
def test_targets_and_files_are_among_the_words_of_the_command_line(words: str, targets: list[str]):
    assert requested_targets(["snakemake", *words.split()]) == targets
