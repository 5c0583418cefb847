"""The summary at the end of a run does not cry wolf."""

import os
from pathlib import Path

from exp_to_source.summary import look_around, summarise


def test_restored_manifests_and_products_not_asked_for_are_no_failure(tmp_path: Path):
    for folder in ("products", "manifests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "sources.tsv").write_text("product\na\nb\n")
    (tmp_path / "products" / "a_cal.fits").touch()
    (tmp_path / "manifests" / "a.json").touch()
    os.utime(tmp_path / "products" / "a_cal.fits", (100, 100))
    where = f"2 products in {tmp_path}/products after 10 s: "
    start = look_around(str(tmp_path), 200)
    assert summarise(str(tmp_path), start, False, 210) == [
        f"{where}0 new, 1 unchanged, 1 not asked for"
    ]
    first, *names, hint = summarise(str(tmp_path), start, True, 210)
    assert first == f"{where}0 new, 0 unchanged, 2 failed or out of date"
    assert [name.split()[1] for name in names] == ["a", "b"]
    assert "run the same command again" in hint


def test_new_is_told_from_rebuilt_by_what_was_there(tmp_path: Path):
    (tmp_path / "products").mkdir()
    (tmp_path / "sources.tsv").write_text("product\na\nb\nc\n")
    (tmp_path / "left_out.tsv").write_text("product\nd\n")
    for name in ("a", "b"):
        (tmp_path / "products" / f"{name}_cal.fits").touch()
        os.utime(tmp_path / "products" / f"{name}_cal.fits", (100, 100))
    start = look_around(str(tmp_path), 200)
    for name in ("b", "c"):
        (tmp_path / "products" / f"{name}_cal.fits").touch()
    (line,) = summarise(str(tmp_path), start, False, 200 + 3725)
    assert line.endswith("after 1 h 2 min: 1 new, 1 rebuilt, 1 unchanged, 1 left out by choice")


def test_nothing_was_there_before_the_first_run(tmp_path: Path):
    start = look_around(str(tmp_path), 200)
    assert start.products == set()
    (line,) = summarise(str(tmp_path), start, True, 201)
    assert line.startswith("no source list: ")
