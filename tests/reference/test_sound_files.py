"""Exposures that people changed by usual means are regrouped if they are sound, as jwst does."""

import os
import re
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from adversity.subjects import trim
from astropy.io import fits
from astropy.table import Table
from eras import unpack_eras
from jwst_reference import assert_equal_to_jwst, assert_verified, regroup
from stdatamodels.jwst import datamodels
from tiny import Parts, remove_cards, set_card, set_tree, split

from exp_to_source.errors import InputError
from exp_to_source.index.indexing import index_exposure
from exp_to_source.tables import read_table

Edit = Callable[[Path], None]

EDITED = "headers were edited after"
SIZE = 8
LARGE = 11_000_000


def model(change: Callable[[Any], None]) -> Edit:
    """Return an edit by stdatamodels."""

    def edit(path: Path) -> None:
        # Slits were cut out of the file, so that its index of blocks is wrong.
        with warnings.catch_warnings(action="ignore"), datamodels.open(path) as opened:
            change(opened)
            opened.save(path.with_suffix(".new.fits"))
        os.replace(path.with_suffix(".new.fits"), path)

    return edit


def attribute(where: Callable[[Any], Any], value: Any) -> Edit:
    """Return an edit that adds an attribute to a node."""
    return model(lambda opened: where(opened).instance.update(own=value))


def hdus(change: Callable[[fits.HDUList], Any]) -> Edit:
    """Return an edit by astropy, which leaves the tree as it is."""

    def edit(path: Path) -> None:
        with fits.open(path, mode="update", output_verify="ignore") as opened:
            change(opened)

    return edit


def bytes_of(change: Callable[[Parts], Any], true_hash: bool = True) -> Edit:
    """Return an edit of the file itself, with `_fits_hash` made true again or not."""

    def edit(path: Path) -> None:
        parts = split(path.read_bytes())
        change(parts)
        path.write_bytes(parts.join(true_hash=true_hash))

    return edit


def tree(old: str, new: str) -> Edit:
    """Return an edit of the text of the tree."""
    return bytes_of(set_tree(old, new))


def card(image: str | bytes, hdu: int = 0, true_hash: bool = True) -> Edit:
    """Return an edit that puts a card in the place of that of its keyword, or at the end."""
    return bytes_of(set_card(hdu, image), true_hash)


def without(*words: bytes, hdu: int = 1, at_end: bool = False) -> Edit:
    """Return an edit that removes cards, or moves them to the end."""
    return bytes_of(remove_cards(hdu, *words, at_end=at_end))


def repeated(place: int) -> Edit:
    """Return an edit that repeats an HDU."""
    return bytes_of(lambda parts: parts.hdus.insert(place, parts.hdus[place]))


def replaced(name: str, numbers: Any) -> Edit:
    """Return an edit that writes a plane as other numbers."""

    def change(opened: fits.HDUList) -> None:
        data = numbers(opened[name, 1].data)
        opened[opened.index_of((name, 1))] = fits.ImageHDU(data, name=name, ver=1)

    return hdus(change)


def crop(opened: fits.HDUList) -> None:
    for hdu in opened[1:]:
        if hdu.ver == 1 and hdu.name != "ASDF":
            hdu.data = hdu.data[1:, 1:]


def add(hdu: Any, count: int = 1, place: int | None = None) -> Edit:
    """Return an edit that adds copies of an HDU."""

    def change(opened: fits.HDUList) -> None:
        for _ in range(count):
            opened.insert(len(opened) if place is None else place, hdu.copy())

    return hdus(change)


def set_data(place: Any, change: Callable[[Any], Any]) -> Edit:
    """Return an edit of the data of an HDU."""

    def edit(opened: fits.HDUList) -> None:
        opened[place].data = change(opened[place].data)

    return hdus(edit)


def repeat_filter(parts: Parts) -> None:
    cards = parts.hdus[0][0]
    cards.append(next(image for image in cards if image.startswith(b"FILTER")))


def flags(datatype: str) -> Any:
    return lambda data: np.resize(np.array([0, 1, 5, 200]), data.shape).astype(datatype)


def append(path: Path, content: bytes) -> None:
    path.write_bytes(path.read_bytes() + content)


def in_slit(text: str) -> Edit:
    """Return an edit that adds a key to a slit in the tree."""
    return tree("\n  meta:\n", f"\n  own: {text}\n  meta:\n")


def in_meta(text: str) -> Edit:
    """Return an edit that adds a key to the metadata of the exposure in the tree."""
    return tree("\nmeta:\n", f"\nmeta:\n  own: {text}\n")


def rename(opened: Any) -> None:
    for number, slit in enumerate(opened.slits):
        slit.name = f"My slit #{number}"


def without_leaf(opened: Any, part: str, key: str) -> None:
    for node in (opened, *opened.slits):
        node.instance["meta"].get(part, {}).pop(key, None)


NAMED = "named after headers, which do not give a name as the archive's"
TEXTS = np.array(["a", "bcd"])
TABLE = Table({"a": ["x", "yz"], "b": [1, 2.5]})
NOTES = fits.ImageHDU(np.zeros((2, 2)), name="NOTES")
NO_NAME = fits.ImageHDU(np.zeros((2, 2)))
AREA = fits.ImageHDU(np.full((6, 16), 3, "f4"), name="AREA", ver=1)
CAST = "cast to the datatype of the schema"
LEFT = "HDUs that no slit uses are left out: "
UNREAD = "does not follow FITS; the ASDF tree's value stays"
RETYPED = f"{EDITED}|{CAST}"
IMAGE = f"{EDITED}|in PRIMARY"
ODD = "cards that do not follow FITS are left out: MYWORD"

#: Edits, and what the remarks say; "" if there is none.
EDITS: dict[str, tuple[Edit, str]] = {
    "strings in a slit": (attribute(lambda m: m.slits[0], TEXTS), ""),
    "strings in metadata": (attribute(lambda m: m.meta, TEXTS), ""),
    "strings on top": (attribute(lambda m: m, TEXTS), ""),
    "bytes in metadata": (attribute(lambda m: m.meta, TEXTS.astype("S")), ""),
    "booleans in a slit": (attribute(lambda m: m.slits[0], np.array([True])), ""),
    "a table in a slit": (attribute(lambda m: m.slits[0], TABLE), ""),
    "a table in metadata": (attribute(lambda m: m.meta, TABLE), ""),
    "an array on top": (attribute(lambda m: m, np.arange(5.0)), ""),
    "long logs": (attribute(lambda m: m, {"logs": ["x" * 1000] * (LARGE // 1000)}), ""),
    "a long value": (attribute(lambda m: m.meta, "y" * LARGE), ""),
    "double precision": (set_data(("SCI", 1), lambda d: d * np.array(2.0)), RETYPED),
    "minus zero in double precision": (set_data(("SCI", 1), lambda d: d * np.array(-0.0)), RETYPED),
    "integers": (replaced("SCI", lambda data: np.ones(data.shape, "i2")), RETYPED),
    **{
        f"DQ as {kind}": (replaced("DQ", flags(kind)), RETYPED)
        for kind in ("int64", "uint16", "uint8", "float32")
    },
    "DQ below zero": (replaced("DQ", lambda data: np.full(data.shape, -3, "i4")), RETYPED),
    "a slit cropped": (hdus(crop), EDITED),
    "unused HDUs of one name": (add(NOTES, 2), f"{EDITED}|{LEFT}NOTES"),
    "unused HDUs without a name": (add(NO_NAME, 2), rf"{EDITED}|{LEFT}\(no name\)"),
    "unused table": (add(fits.BinTableHDU(TABLE, name="MINE"), place=1), f"{EDITED}|{LEFT}MINE"),
    "a unit without its plane": (model(lambda m: m.slits[0].instance.pop("err")), ""),
    "a plane added": (add(AREA, place=2), EDITED),
    "a keyword twice": (bytes_of(repeat_filter), ""),
    "no EXTEND": (without(b"EXTEND", hdu=0), EDITED),
    "EXTEND = F": (card(f"EXTEND  = {'F':>20}"), EDITED),
    "PCOUNT in PRIMARY": (card(f"PCOUNT  = {0:>20}"), ""),
    "PCOUNT late": (without(b"PCOUNT", b"GCOUNT", at_end=True), ""),
    "PCOUNT absent": (without(b"PCOUNT", b"GCOUNT"), ""),
    "null in metadata": (in_meta("null"), "without a value|laid out"),
    "null in a slit": (in_slit("null"), "without a value|laid out"),
    "integers as keys": (in_meta("{1: a, 2: b}"), ""),
    "a key twice": (in_meta("1\n  own: 1"), "laid out"),
    "root without a tag": (tree("--- !core/asdf-1.1.0", "---"), ""),
    "quoted keys": (tree("name: asdf,", "'name': asdf,"), ""),
    "an unknown tag": (in_slit("!<tag:me.org:x-1.0.0> {a: 1}"), "do not know"),
    "a list of numbers": (in_slit("[1.0, 2.0]"), ""),
    "a complex number": (in_slit("!core/complex-1.0.0 1+2j"), ""),
    "a unit": (in_slit("!unit/unit-1.0.0 m"), ""),
    "binary": (in_slit("!!binary aGVsbG8="), ""),
    "HISTORY that is not ASCII": (card("HISTORY caf\xe9 \t tab", true_hash=False), EDITED),
    "a comment that is not ASCII": (card("SRCNAME = '10006_1 ' / \xb5m", 1, False), EDITED),
    **{
        f"card {text}": (card(text.encode(), true_hash=False), f"{ODD}|{EDITED}")
        for text in ("MYWORD  = NaN", "MYWORD  = (1,2)", "MYWORD  = 2024-01-01",
                     "MYWORD    hello", "myword  = 5",
                     "MYWORD  = 'a", "MYWORD  = 'caf\xe9'")
    },
    **{
        f"card {text} of the schema": (card(text, 1, False), f"{UNREAD}|{EDITED}|{ODD[:-6]}")
        for text in ("STLARITY= 0.8.1", "srcalias= '1'")
    },
    "an equal HDU twice": (repeated(2), ""),
    "an equal tree twice": (repeated(-1), ""),
    "an image in PRIMARY": (set_data(0, lambda _: np.zeros((3, 3), "f4")), IMAGE),
    "GROUPS = F": (card(f"GROUPS  = {'F':>20}"), ""),
    "BLANK of floats": (card(f"BLANK   = {-9999:>20}", 1), ""),
    "EXTVER = 1.0": (card(f"EXTVER  = {1.0:>20}", 2), ""),
    "bytes at the end": (lambda path: append(path, b"x" * 100), "after the last"),
    "no padding": (lambda path: path.write_bytes(path.read_bytes().rstrip(b"\0")), ""),
    "names of slits": (model(rename), ""),
    "PROGRAM = SIM": (model(lambda m: setattr(m.meta.observation, "program_number", "SIM")), NAMED),
    "no INSTRUME": (model(lambda m: without_leaf(m, "instrument", "name")), NAMED),
    "no EXP_TYPE": (model(lambda m: without_leaf(m, "exposure", "type")), "no EXP_TYPE"),
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an exposure of a slit."""
    (path,) = unpack_eras("mos", tmp_path_factory.mktemp("sound"), "3.0.0")
    path.write_bytes(trim(split(path.read_bytes()), 1).join(true_hash=True))
    return path


@pytest.fixture
def exposure(sound: Path, tmp_path: Path) -> Path:
    """Copy the exposure, to be edited."""
    return Path(shutil.copy(sound, tmp_path))


#: Exposures of several edits are regrouped together, for the sake of time; not the last three,
#: which are named by other words.
*TOGETHER, PROGRAM, INSTRUMENT, KIND = EDITS
GROUPS = [TOGETHER[n : n + SIZE] for n in range(0, len(TOGETHER), SIZE)]


@pytest.mark.parametrize("names", [*GROUPS, [PROGRAM], [INSTRUMENT], [KIND]])
def test_sound_files_are_regrouped(names: list[str], sound: Path, tmp_path: Path):
    paths = {}
    for number, name in enumerate(names, 1):
        path = tmp_path / sound.name.replace("_00001_", f"_{number:05}_")
        content = sound.read_bytes().replace(b"_00001_", b"_%05d_" % number)
        path.write_bytes(split(content).join(true_hash=True))
        EDITS[name][0](path)
        paths[name] = path
    exposures = list(paths.values())
    products = regroup(exposures, tmp_path)
    assert len(products) == 1
    remarks: dict[str, list[str]] = {str(path): [] for path in exposures}
    for row in read_table(f"{tmp_path}/remarks.tsv"):
        # Remarks on products have no path.
        remarks[row["path"] or str(exposures[-1])].append(row["remark"])
    for name, path in paths.items():
        expected, texts = EDITS[name][1], remarks[str(path)]
        assert bool(texts) == bool(expected), (name, texts)
        assert all(re.search(expected, text) for text in texts), (name, texts)
    assert_equal_to_jwst(exposures, products, tmp_path)
    assert_verified(exposures, products, tmp_path)


def test_the_tree_decides_if_there_is_no_datamodl(
    exposure: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """jwst takes the file for a model of one slit, and the source type for that of the target."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    before = [path.read_bytes() for path in regroup([exposure], tmp_path)]
    without(b"DATAMODL", hdu=0)(exposure)
    assert [path.read_bytes() for path in regroup([exposure], tmp_path)] == before


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (set_data(("SCI", 1), lambda data: data[1:]), "different shapes"),
        (hdus(lambda opened: opened.__delitem__("VAR_FLAT")), "VAR_FLAT,1, which is"),
    ],
)
def test_what_makes_a_product_wrong_is_refused(edit: Edit, sentence: str, exposure, tmp_path: Path):
    edit(exposure)
    with pytest.raises(InputError, match=sentence):
        index_exposure(str(exposure), str(tmp_path / "index.txt"))
