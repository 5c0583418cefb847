"""The summary at the end of a run does not cry wolf."""

import os
from pathlib import Path

import pytest

from exp_to_source.files import replacing, write_all
from exp_to_source.run.summary import product_states, summarise


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


def test_restored_manifests_and_products_not_asked_for_are_no_failure(results: Path):
    before = product_states(str(results))
    where = f"3 products in {results}/products after 10 s: "
    assert summarise(str(results), before, False, 10) == [
        f"{where}0 new, 2 unchanged, 1 not asked for"
    ]
    first, *names, hint = summarise(str(results), before, True, 10)
    assert first == f"{where}0 new, 1 unchanged, 2 failed or out of date"
    assert [name.split()[1] for name in names] == ["a", "b"]
    assert f"(see {results.parent}/logs/gather_source/a.log)" in names[0]
    assert "run the same command again" in hint


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
    line, hint = summarise(str(results), before, False, 3725)
    assert line.endswith("after 1 h 2 min: 1 new, 1 rebuilt, 1 unchanged, 1 left out by choice")
    assert hint.startswith("to verify the products, ")
    (results / "verify.tsv").touch()
    assert summarise(str(results), before, False, 3725) == [line]


def test_nothing_was_there_before_the_first_run(tmp_path: Path):
    assert product_states(str(tmp_path)) == {}
    (line,) = summarise(str(tmp_path), {}, True, 1)
    assert line.startswith("no source list: ")
