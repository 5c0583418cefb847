"""Exposures of pipelines after the one whose keywords are in the table."""

import sys
from pathlib import Path

import numpy as np
import pytest
from adversity.judge import compare, read
from astropy.io import fits
from jwst_reference import assert_verified, open_quietly, regroup
from tiny import CARD, split

from exp_to_source.index import keywords
from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.tables import read_table

#: Keywords of PRIMARY, and of the planes of a slit, that an older table does not have.
NEW = {"S_FLAT", "PI_NAME", "SRCALIAS", "WAVECOR", "SRCRA"}


def forget(monkeypatch: pytest.MonkeyPatch, pipeline: str) -> None:
    """Let the table be that of another pipeline, without the new keywords."""
    table = keywords.table()
    words = [word for word in (*table.product, *table.entry) if word.name in NEW]
    assert {word.name for word in words} == NEW
    paths = {word.path for word in words}
    older = table._replace(
        pipeline=pipeline,
        product=[word for word in table.product if word.name not in NEW],
        entry=[word for word in table.entry if word.name not in NEW],
        types={path: kind for path, kind in table.types.items() if path not in paths},
        entry_types={path: kind for path, kind in table.entry_types.items() if path not in paths},
    )
    for name, module in sys.modules.items():
        if name.startswith("exp_to_source.index.") and hasattr(module, "table"):
            monkeypatch.setattr(module, "table", lambda: older)


def test_keywords_of_a_newer_pipeline_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Products are those that the pipeline's own table gives."""
    what = Simulation(version="3.0.0", exposures=2, sources=2, shape=(4, 8))
    paths = simulate(what, tmp_path)
    expected = regroup(paths, tmp_path / "known")
    forget(monkeypatch, "2.0.1")
    products = regroup(paths, tmp_path / "future")
    assert len(products) == len(expected)
    for product, known in zip(products, expected, strict=True):
        assert list(compare(read(product), read(known))) == []
    remarks = [row["remark"] for row in read_table(str(tmp_path / "future" / "remarks.tsv"))]
    assert all("jwst 2.0.1 does not know are kept, as its pipeline" in text for text in remarks)
    assert "PI_NAME" in remarks[0]


def test_unknown_keywords_of_a_known_pipeline_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (path,) = simulate(Simulation(version="3.0.0", exposures=1, sources=1, shape=(4, 8)), tmp_path)
    assert fits.getval(path, "PI_NAME")
    forget(monkeypatch, "3.0.0")
    (product,) = regroup([path], tmp_path)
    assert "PI_NAME" not in fits.getheader(product)
    rows = read_table(str(tmp_path / "remarks.tsv"))
    assert any("no schema knows are left out: " in row["remark"] for row in rows)


def test_planes_that_no_schema_knows_are_carried_after_those_of_the_schema(tmp_path: Path):
    """SIMUL and CONTAM of WFSS, as written since August 2026."""
    what = Simulation(mode="niriss-wfss", exposures=1, sources=1, orders=(1,), shape=(4, 8))
    (path,) = simulate(what, tmp_path)
    parts = split(path.read_bytes())
    cards, data = parts.hdus[1]
    words = (b"XTENSION", b"BITPIX", b"NAXIS", b"PCOUNT", b"GCOUNT", b"EXTNAME")
    slit = parts.lines.index("slits:") + 1
    for name in ("CONTAM", "SIMUL"):
        image = f"EXTNAME = '{name:8}'".encode().ljust(CARD)
        own = [card for card in cards if card.startswith(words)]
        own = [image if card.startswith(b"EXTNAME") else card for card in own]
        parts.hdus.insert(2, (own, data))
        parts.lines.insert(
            slit + 1,
            f"  {name.lower()}: !core/ndarray-1.1.0 {{source: 'fits:{name},1', "
            "datatype: float32, byteorder: big, shape: [4, 8]}",
        )
    path.write_bytes(parts.join(true_hash=True))
    (product,) = regroup([path], tmp_path)
    with fits.open(product) as hdus:
        names = [hdu.name for hdu in hdus]
        assert names[1] == "SCI" and names[-3:] == ["SIMUL", "CONTAM", "ASDF"]
        assert np.array_equal(hdus["SIMUL"].data, hdus["SCI"].data, equal_nan=True)
    with open_quietly(product) as model:
        assert model.exposures[0].simul.shape == (4, 8)
    assert_verified([path], [product], tmp_path)
