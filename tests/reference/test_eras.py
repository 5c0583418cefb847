"""Exposures of several ASDF standards in one product."""

import io
import itertools
import os
import re
from pathlib import Path

import asdf
import numpy as np
import pytest
from adversity.judge import read
from adversity.subjects import trim
from astropy.io import fits
from eras import ERAS, MODES, unpack_eras
from jwst_reference import assert_equal_to_jwst, assert_verified, open_quietly, regroup
from tiny import Parts, split, write_tiny

from exp_to_source.formats.standards import (
    PREFIX,
    RENAMED,
    RENAMED_TAGS,
    STANDARDS,
    update_tags,
)
from exp_to_source.formats.tags import known_tags
from exp_to_source.index.indexing import index_exposure
from exp_to_source.sources.families import GroupingOptions
from exp_to_source.sources.listing import list_sources
from exp_to_source.tables import read_table
from update_tables import read_tags

OLD, NEW = STANDARDS
NAMES = ("jw00009001001_03101_00001_nrs1_cal", "jw00009001001_03101_00002_nrs1_cal")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Parts]:
    """Parts of one exposure, as it would be under each of the standards."""
    new = split(write_tiny(tmp_path_factory.mktemp("tiny") / f"{NAMES[0]}.fits"))
    return {NEW: new, OLD: renamed(new, {NEW: OLD, "ndarray-1.1.0": "ndarray-1.0.0"})}


def renamed(parts: Parts, names: dict[str, str]) -> Parts:
    """Parts with other texts in the tree."""
    parts = parts.copy()
    text = "\n".join(parts.lines)
    for old, new in names.items():
        assert old in text
        text = text.replace(old, new)
    parts.lines = text.split("\n")
    return parts


def write(folder: Path, *exposures: Parts) -> list[Path]:
    paths = [folder / f"{name}.fits" for name in NAMES[: len(exposures)]]
    for path, exposure in zip(paths, exposures, strict=True):
        path.write_bytes(exposure.join(true_hash=True))
    return paths


# Files of their day.

PAIRS = [
    ("mos", ("1.16.1", "3.0.0")),
    ("mos", ("1.14.0", "1.8.2")),
    ("fs", ("2.0.1", "1.8.2")),
    ("wfss", ("1.20.2", "1.16.1")),
]
if os.environ.get("EXP_TO_SOURCE_ERAS") == "all":
    PAIRS = [*itertools.product(MODES, itertools.product(ERAS, ERAS))]


@pytest.mark.parametrize(("mode", "eras"), PAIRS)
def test_products_of_two_eras_are_those_of_jwst(tmp_path, mode, eras):
    paths = unpack_eras(mode, tmp_path / "exposures", *eras)
    for path in paths:
        path.write_bytes(trim(split(path.read_bytes()), 2).join(true_hash=True))
    products = regroup(paths, tmp_path)
    assert_equal_to_jwst(paths, products, tmp_path)
    assert assert_verified(paths, products, tmp_path) == []
    (path,) = (path for path in products if re.search("_s0*1_", path.name))
    with open_quietly(path) as product:
        assert {entry.meta.calibration_software_version for entry in product.exposures} == {*eras}


def test_products_of_one_standard_are_spliced_as_they_are(tmp_path):
    """Tags of the day, in a product that only libraries of the day wrote."""
    paths = unpack_eras("mos", tmp_path / "exposures", "1.8.2", "1.16.1")
    for product in regroup(paths, tmp_path):
        text = product.read_bytes()
        assert b"\n#ASDF_STANDARD 1.5.0\n" in text
        assert b"ndarray-1.0.0" in text and b"ndarray-1.1.0" not in text


def test_cards_of_16_digits_stay(tmp_path):
    """The tree has 53.100100000000005, its card 53.1001, as astropy before 5.3 wrote them."""
    paths = unpack_eras("wfss", tmp_path / "exposures", "1.8.2")
    image = next(line for line in cards_of(paths[0]) if line.startswith("SRCRA "))
    assert "53.1001 " in image
    assert b"source_ra: 53.100100000000005\n" in paths[0].read_bytes()
    assert image in cards_of(regroup(paths, tmp_path)[0])


def cards_of(path: Path) -> list[str]:
    with fits.open(path) as hdus:
        return [card.image for card in hdus["SCI", 1].header.cards]


# What is known of the standards.


def test_tables_are_in_step_with_the_libraries():
    old, new = read_tags(OLD), read_tags(NEW)
    assert known_tags() == new
    # No library writes the last any more, and jwst never did.
    assert old - new == RENAMED_TAGS | {f"{PREFIX}core/subclass_metadata-1.0.0"}
    assert {f"{PREFIX}{tag}" for tag in RENAMED.values()} <= new


@pytest.mark.parametrize(
    "text",
    [
        "!core/ndarray-1.0.0 [[1, 2], [3, 4]]",
        "!core/ndarray-1.0.0 {data: [1.5, 2], datatype: float32, shape: [2]}",
        "!core/integer-1.0.0 {sign: '-', string: '9', words: !core/ndarray-1.0.0 "
        "{data: [7, 9], datatype: uint32, shape: [2]}}",
        "!unit/quantity-1.1.0 {value: 2.5, unit: !unit/unit-1.0.0 km}",
        "!unit/quantity-1.1.0 {value: !core/ndarray-1.0.0 [1.0, 2.0], unit: !unit/unit-1.0.0 km}",
        "!time/time-1.1.0 '2000-12-31T13:05:27.737'",
        "!time/time-1.1.0 {value: '2000-01-01T00:00:00.000', scale: tdb}",
        "!time/time-1.1.0 {value: 2015.5, format: jyear}",
        "!core/table-1.0.0 {columns: [!core/column-1.0.0 {name: a, "
        "data: !core/ndarray-1.0.0 [1, 2]}]}",
    ],
)
def test_what_tags_stand_for_is_the_same_under_their_new_names(text):
    found = []
    new = update_tags(re.sub("!(?=(?:core|time)/|unit/quantity)", "!\x05", text))
    for standard, body in ((OLD, text), (NEW, new)):
        document = f"#ASDF 1.0.0\n#ASDF_STANDARD {standard}\n%YAML 1.1\n%TAG ! {PREFIX}\n"
        document += f"--- !core/asdf-1.1.0\na: {body}\n...\n"
        with asdf.open(io.BytesIO(document.encode())) as file:
            value = file["a"]
            found.append((type(value), str(np.asarray(value) if "array" in text else value)))
    assert found[0] == found[1]
    assert found[0][0] not in (dict, list)


# What is told, and what is not touched.


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)])
def test_texts_that_look_like_tags_stay(tmp_path, parts, order):
    text = "see !core/ndarray-1.0.0 and !<tag:stsci.edu:asdf/core/ndarray-1.0.0>, \\x05core"
    exposures = [
        renamed(parts[standard], {"pi_name: Some, One": f"pi_name: '{text}'"}) for standard in order
    ]
    for path in regroup(write(tmp_path, *exposures), tmp_path):
        product = read(path).tree
        assert b"#ASDF_STANDARD 1.6.0\n" in path.read_bytes()
        for number in (0, 1):
            entry = product["exposures"][number]
            assert entry["meta"]["proposal"]["pi_name"] == text
            for array in (entry["data"], entry["dq"], entry["meta"]["wcs"]["table"]):
                assert array._tag == f"{PREFIX}core/ndarray-1.1.0"


BOX = "      box: "


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("standard", "old", "new", "sentence"),
    [
        (NEW, f"STANDARD {NEW}", "STANDARD 1.10.0", "how standard 1.10.0 goes together"),
        (NEW, f"#ASDF_STANDARD {NEW}\n", "", "how standard 1.0.0 goes together"),
        (OLD, BOX, f"      own: !<tag:example.org:x/y-1.0.0> {{a: 1}}\n{BOX}",
         "may not know the tag tag:example.org:x/y-1.0.0 under standard 1.6.0"),
        (OLD, BOX, f"      own: !transform/shift-9.0.0 {{offset: 1}}\n{BOX}",
         "may not know the tag tag:stsci.edu:asdf/transform/shift-9.0.0"),
    ],
)  # fmt: skip
def test_what_readers_may_not_know_of_mixed_products_is_a_warning(
    tmp_path, parts, standard, old, new, sentence, order
):
    other = parts[OLD if standard == NEW else NEW]
    paths = write(tmp_path, *[renamed(parts[standard], {old: new}), other][::order])
    products = regroup(paths, tmp_path)
    rows = read_table(str(tmp_path / "remarks.tsv"))
    (row,) = (row for row in rows if sentence in row["remark"])
    assert row["level"] == "warning"
    assert all(name in row["remark"] for name in NAMES)
    for product in products:
        entries = read(product).tree["exposures"]
        assert [entry["meta"]["filename"] for entry in entries] == [path.name for path in paths]


def test_an_exposure_of_another_era_changes_the_products_that_it_is_in(tmp_path, parts):
    """Those of one era stay, by name and content."""
    alone = parts[NEW].copy()
    alone = renamed(alone, {"source_id: 61": "source_id: 63", "9_61": "9_63"})
    paths = write(tmp_path, parts[OLD], alone)
    indices = [str(tmp_path / "index" / f"{path.stem}.txt") for path in paths]
    for path, index in zip(paths, indices, strict=True):
        index_exposure(str(path), index)
    before, after = (listed(tmp_path, indices[:count]) for count in (1, 2))
    assert {name[13:23] for name in before} == {"s000000061", "s000000062"}
    changed = {name for name in before if before[name] != after[name]}
    assert {name[13:23] for name in changed} == {"s000000062"}


def listed(folder: Path, indices: list[str]) -> dict[str, bytes]:
    """List sources; the manifests."""
    options = GroupingOptions(on_doubt="warn")
    list_sources(indices, str(folder / "sources.tsv"), options=options)
    return {path.name: path.read_bytes() for path in (folder / "manifests").iterdir()}
