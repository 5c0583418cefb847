"""Sources are chosen, or the run says what is near."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.table import Table
from snake import ROOT

from exp_to_source.errors import InputError
from exp_to_source.sources.catalog import FORMATS, read_catalog
from exp_to_source.sources.choosing import SourceFilter, choose, parse_items
from exp_to_source.sources.source_list import Source


def source(kind: str, number: int, name: str = "", exposures: int = 3, slit: str = "") -> Source:
    product = f"jw01345-o001_{kind}{abs(number):05d}_nirspec_f170lp-g235m"
    return Source(product, number, kind, name, slit, exposures=exposures)


SOURCES = [
    source("s", 45, "1345_45", 1, "S200A1"),
    source("b", 45, "1345_BKG45"),
    source("s", 100, "1345_100", 2),
    source("s", 110, "Target [1]"),
    source("s", 120, "61"),
    source("v", -12, "1345_VRT12"),
]


def chosen(*items: str | int, **others: object) -> list[str]:
    """Forms of the sources that are chosen."""
    left_out, _ = choose(SOURCES, SourceFilter(parse_items(items), **others))
    return [s.product[13:19] for s in SOURCES if s.product not in left_out]


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ((), ["s00045", "b00045", "s00100", "s00110", "s00120", "v00012"]),
        ((45,), ["s00045"]),
        (("45", "b45"), ["s00045", "b00045"]),
        (("b00045",), ["b00045"]),
        (("B45",), ["b00045"]),
        ((-12,), ["v00012"]),
        (("v00012",), ["v00012"]),
        (("100-110",), ["s00100", "s00110"]),
        (("-20--10",), ["v00012"]),
        (("-20-50",), ["s00045", "v00012"]),
        (("class:b", "class:V"), ["b00045", "v00012"]),
        (("slit:s200a1",), ["s00045"]),
        (("1345_*",), ["s00045", "b00045", "s00100", "v00012"]),
        (("1345_100",), ["s00100"]),
        # Where it is not quoted, both YAML and Python take the name for a number.
        ((1345_100,), ["s00100"]),
        (("target [1]",), ["s00110"]),
        (("name:61",), ["s00120"]),
        (("jw01345-o001_v00012_nirspec_f170lp-g235m_cal.fits",), ["v00012"]),
    ],
)
def test_items(items: tuple[str | int, ...], found: list[str]):
    assert chosen(*items) == found


@pytest.mark.parametrize(
    ("item", "number"),
    [("s661", 661), ("name:6_61", 61), ("61", 61), ("6661", 661), ("6_61", 61), ("5", 5),
     ("77", 77)],
)  # fmt: skip
def test_numbers_that_may_be_names_without_their_underscores(item: str, number: int):
    sources = [source("s", *what) for what in ((61, "6_61"), (661, "6_661"), (5, "77"), (77, "x"))]
    left_out, _ = choose(sources, SourceFilter([item]))
    assert [s.source_id for s in sources if s.product not in left_out] == [number]
    with pytest.raises(InputError, match=r"'661' .* the name '6_61'; write s661 or name:6_61"):
        choose(sources, SourceFilter(["661"]))


def test_exclude_min_exposures_and_catalog():
    assert chosen("class:s", exclude=["100-200"]) == ["s00045"]
    assert chosen(min_exposures=3, exclude=["1345_*"]) == ["s00110", "s00120"]
    assert chosen(45, catalog=[110, 45]) == ["s00045", "s00110"]
    assert chosen(catalog=[110]) == ["s00110"]
    left_out, (remark,) = choose(SOURCES, SourceFilter(catalog=[45, 7, 8, 9, 10, 11]))
    note = "5 of its 6 ids are no sources of these exposures: 7, 8, 9, 10 and 1 more"
    assert remark == f"catalog: {note}"
    assert set(left_out.values()) == {"not chosen"}
    left_out, _ = choose(SOURCES, SourceFilter(exclude=["b45"], min_exposures=2))
    assert list(left_out.values()) == ["fewer than 2 exposures", "excluded by b45"]


NEAR = "near misses: "


@pytest.mark.parametrize(
    ("source_filter", "sentence"),
    [
        ({"sources": ["45", "99"]}, f"sources: no source matches '99'; {NEAR}100, 110, 120, 45; c"),
        ({"sources": ["b46"]}, f"'b46'; {NEAR}45, b45, "),
        ({"sources": ["200-300"]}, f"'200-300'; {NEAR}120, 110, 100, "),
        ({"sources": ["1345_10", "x"]}, f"'1345_10', 'x'; {NEAR}1345_100, "),
        ({"sources": ["name:1345-45"]}, f"'name:1345-45'; {NEAR}1345_45"),
        ({"sources": ["slit:S200A2"]}, f"'slit:S200A2'; {NEAR}slit:S200A1; correct"),
        ({"sources": ["qqqq"]}, "sources: no source matches 'qqqq'; correct the setting 'sources'"),
        ({"exclude": ["46"]}, f"exclude: no source matches '46'; {NEAR}45, b45, "),
        ({"sources": ["9-1"]}, "sources: '9-1' is a range that ends before it begins"),
        ({"sources": ["class:x"]}, "sources: 'class:x' is not a class: these are class:s, "),
        ({"catalog": [44]}, "none of its 1 ids is a source of these exposures; near misses"),
        ({"sources": ["class:s"], "exclude": ["45"], "min_exposures": 9},
         "none of the 6 sources is left to be made: excluded by 45: 1, not chosen: 2, fewer"),
    ],
)  # fmt: skip
def test_what_matches_nothing_is_told(source_filter: dict[str, Any], sentence: str):
    with pytest.raises(InputError) as caught:
        choose(SOURCES, SourceFilter(**source_filter))
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "items"),
    [
        ("61, 100-120,class:s", ["61", "100-120", "class:s"]),
        (61, ["61"]),
        ([61, "a name, with a comma"], ["61", "a name, with a comma"]),
        # Whole numbers are meant, however they are written.
        ([59.0, "60.0", -7.0, 1e3], ["59", "60", "-7", "1000"]),
        (59.0, ["59"]),
        ("59.0,1.5, 9.x, name:59.0", ["59", "1.5", "9.x", "name:59.0"]),
    ],
)
def test_configured_items(setting: Any, items: list[str]):
    assert parse_items(setting) == items
    for bad in ("61,", ["a\nb"]):
        with pytest.raises(InputError, match="cannot be an item of a choice"):
            parse_items(bad)


@pytest.mark.parametrize(
    ("suffix", "column"),
    [("tsv", "source_id"), ("csv", "ID"), ("ecsv", "NUMBER"), ("fits", "label"), ("txt", "srcID"),
     ("fits.gz", "id"), ("vot", "id")],
)  # fmt: skip
def test_catalogs(suffix: str, column: str, tmp_path: Path):
    path = tmp_path / f"catalog.{suffix}"
    formats = FORMATS | {"fits.gz": "fits"}
    table = Table({"flux": [1.5, 2.5, 3.5], column: [61, 62, 61]})
    table.write(path, format=formats.get(suffix, "ascii.commented_header"))
    assert read_catalog(str(path)) == [61, 62]


@pytest.mark.parametrize(
    ("content", "result"),
    [
        ("id,source_id,flux\n1,073,\n2,,\n", [73]),
        (
            "a,b\n1,2\n",
            r"none of its columns \(a, b\) is called source_id, .* or id, and none ra and",
        ),
        ("id,b\nx,2\n", "column 'id' has 'x', which is not a whole number"),
        ("id,b\n1.5,2\n", "column 'id' has 1.5, which is not a whole number"),
        ("id,b\n61,2\ninf,2\n", "column 'id' has inf, which is not a whole number"),
        ("id,b\nTrue,2\n", "column 'id' has 'True', which is not a whole number"),
        ("id,b\n9007199254740993.0,2\n", "has 9007199254740992 as float64, which is not exact"),
        ("id,b\n,2\n", "has no ids in its column 'id'"),
        ("id,b\nnan,2\n", "has no ids in its column 'id'"),
        ("id,b\n1,2,3\n", "cannot be read as a table"),
        ("", "cannot be read as a table"),
        # Columns of FITS tables.
        (np.array([61.0, np.nan, 62.0], "f4"), [61, 62]),
        (np.array([61.0, 2**24 - 1], "f4"), [61, 2**24 - 1]),
        (np.array([2**24], "f4"), "has 16777216 as float32, which is not exact; save the ids as"),
        (np.array([2**11], "f4"), [2**11]),
        (np.array([2**40], "f8"), [2**40]),
        (np.array([61.5], "f4"), "has 61.5, which is not a whole number"),
        (np.array([True, False]), "has True, which is not a whole number"),
        (np.array([61j]), "has 61j, which is not a whole number"),
        (np.array([[61, 62]]), r"has \[61, 62\], which is not a whole number"),
        (np.array(["61", " 62.0 ", "073", ""]), [61, 62, 73]),
        (np.array([61], "u2"), [61]),
    ],
)
def test_columns_of_ids(tmp_path: Path, content: Any, result: list[int] | str):
    path = tmp_path / ("catalog.csv" if isinstance(content, str) else "catalog.fits")
    if isinstance(content, str):
        path.write_text(content)
    else:
        Table({"id": content}).write(path)
    if isinstance(result, list):
        assert read_catalog(str(path)) == result
    else:
        with pytest.raises(InputError, match=result):
            read_catalog(str(path))


def test_a_table_of_a_run_chooses_its_products(tmp_path: Path):
    # The id of the background slitlet is that of a source, too.
    rows = [source[:3] for source in SOURCES if source.class_ != "s"]
    path = tmp_path / "catalog.fits"
    Table(rows=rows, names=["product", "source_id", "class"]).write(path)
    catalog = read_catalog(str(path))
    assert chosen(catalog=catalog) == ["b00045", "v00012"]
    with pytest.raises(InputError, match="none of its 1 ids is a source"):
        chosen(catalog=["another"])


def test_astropy_is_loaded_for_catalogs_alone():
    code = "import sys; from exp_to_source.sources import catalog, listing"
    command = [sys.executable, "-c", f"{code}; sys.exit('astropy' in sys.modules)"]
    subprocess.run(command, cwd=ROOT / "scripts", check=True)
