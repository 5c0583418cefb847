"""The summary at the end of a run does not cry wolf."""

import os
from pathlib import Path

import pytest

from exp_to_source.files import replacing, write_all
from exp_to_source.summary import product_states, summarise


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
    where = f"3 products in {results}/products: "
    assert summarise(str(results), before, failed=False) == [
        f"{where}0 made, 2 unchanged, 1 not asked for"
    ]
    first, *names, hint = summarise(str(results), before, failed=True)
    assert first == f"{where}0 made, 1 unchanged, 2 missing or out of date"
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
    assert "1 made, 1 unchanged, 1 not" in summarise(str(results), before, failed=False)[0]
