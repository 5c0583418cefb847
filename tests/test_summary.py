"""The summary at the end of a run does not cry wolf."""

import os
from pathlib import Path

from exp_to_source.summary import summarise


def test_restored_manifests_and_products_not_asked_for_are_no_failure(tmp_path: Path):
    for folder in ("products", "manifests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "sources.tsv").write_text("product\na\nb\n")
    (tmp_path / "products" / "a_cal.fits").touch()
    (tmp_path / "manifests" / "a.json").touch()
    os.utime(tmp_path / "products" / "a_cal.fits", (100, 100))
    where = f"2 products in {tmp_path}/products: "
    assert summarise(str(tmp_path), 200, failed=False) == [
        f"{where}0 made, 1 unchanged, 1 not asked for"
    ]
    first, *names, hint = summarise(str(tmp_path), 200, failed=True)
    assert first == f"{where}0 made, 0 unchanged, 2 missing or out of date"
    assert [name.split()[1] for name in names] == ["a", "b"]
    assert "run the same command again" in hint
