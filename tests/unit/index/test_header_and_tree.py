"""Headers and trees that contradict each other or the schema: refused, or reported."""

import re
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from tiny import CARD, Edit, Parts, remove_cards, set_card, set_tree, split, write_tiny

from exp_to_source.errors import InputError
from exp_to_source.formats.indices import IndexReader
from exp_to_source.formats.layouts import SlitLayout
from exp_to_source.formats.summaries import read_summaries
from exp_to_source.index.indexing import index_exposure

NAME = "jw00009001001_03101_00001_nrs1_cal.fits"
SCI, DQ = 1, 2
EDITED = "the headers' values are used"
EXTEND = "EXTEND  =                    T"


@pytest.fixture
def exposure(tmp_path: Path) -> Path:
    """A sound exposure."""
    path = tmp_path / NAME
    write_tiny(path)
    return path


def index(path: Path) -> str:
    """Index an exposure; its diagnostics, one a line."""
    diagnostics = index_exposure(str(path), str(path.with_suffix(".txt")))
    return "\n".join(text for _, text in diagnostics)


def read_index(path: Path) -> str:
    return path.with_suffix(".txt").read_text()


def layouts(path: Path) -> list[SlitLayout]:
    """Index an exposure, and read the layouts of its slits."""
    index(path)
    with IndexReader(str(path.with_suffix(".txt"))) as reader:
        return [reader.layout(digest) for digest, *_ in read_summaries(reader)]


def change(path: Path, edit: Edit, *, true_hash: bool = True) -> Path:
    """Change parts of an exposure."""
    parts = split(path.read_bytes())
    edit(parts)
    path.write_bytes(parts.join(true_hash=true_hash))
    return path


@pytest.mark.parametrize("true_hash", [True, False])
@pytest.mark.parametrize(
    ("hdu", "card", "sentence"),
    [
        (SCI, "BSCALE  =                  2.0", "SCI,1 has scaled numbers"),
        (SCI, "BZERO   =                  1.0", "SCI,1 has scaled numbers"),
        (DQ, "BITPIX  =                  -32", "DQ,1 has scaled numbers"),
        (DQ, "BLANK   =                    0", "DQ,1 has scaled numbers"),
        (DQ, "BZERO   =                32768", "DQ,1 has scaled numbers"),
        (SCI, "NAXIS3  =                    1", "NAXIS is 2, but there are more axes"),
        (SCI, "PCOUNT  =                    8", "PCOUNT and GCOUNT of an image are not 0 and 1"),
        (SCI, "GCOUNT  =                    2", "PCOUNT and GCOUNT of an image are not 0 and 1"),
        (SCI, "GROUPS  =                    T", "GROUPS is T, which is not for exposures"),
    ],
)  # fmt: skip
def test_headers_that_lie_about_images(exposure, hdu, card, sentence, true_hash):
    change(exposure, set_card(hdu, card), true_hash=true_hash)
    with pytest.raises(InputError, match=re.escape(sentence)):
        index(exposure)


@pytest.mark.parametrize("keyword", ["XTENSION", "BITPIX", "NAXIS1", "PCOUNT", "EXTNAME", "EXTVER"])
def test_repeated_structural_keywords(exposure, keyword):
    parts = split(exposure.read_bytes())
    # Of SCI,2, as stdatamodels leaves EXTVER out where it is 1.
    cards = parts.hdus[3][0]
    card = next(card for card in cards if card.startswith(keyword.encode()))
    exposure.write_bytes(parts.join(true_hash=True))
    sound = index(exposure)
    cards.append(card)
    exposure.write_bytes(parts.join(true_hash=True))
    assert index(exposure) == sound
    cards[-1] = card[:10] + b"'other'".ljust(70)
    exposure.write_bytes(parts.join(true_hash=True))
    with pytest.raises(InputError, match=f"{keyword} has several values"):
        index(exposure)


@pytest.mark.parametrize("number", range(5))
def test_mandatory_keywords_out_of_order(exposure, number):
    change(exposure, lambda parts: parts.hdus[SCI][0].append(parts.hdus[SCI][0].pop(number)))
    with pytest.raises(InputError, match=r"is not card|but bytes without a header from byte"):
        index(exposure)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("datatype: .*", "datatype: float64", "SCI,1 is float32 in its header and float64"),
        ("datatype: .*", "datatype: [ascii, 4]", "SCI,1 is float32 in its header"),
        ("byteorder: .*", "byteorder: little", "SCI,1 has byteorder little in the tree"),
        ("shape: .*", "shape: x", "SCI,1 has shape"),
        ("( *)byteorder", "\\1strides: [4, 4]\n\\1byteorder", "description in the tree"),
        ("( *)byteorder", "\\1offset: 4\n\\1byteorder", "description in the tree"),
        ("( *)byteorder", "\\1mask: 0\n\\1byteorder", "description in the tree"),
        (" *shape: .*\n", "", "description in the tree"),
        ("^  dq:", "  dk:", "slit 1 has DQ,1 as dk, not as dq"),
    ],
)
def test_trees_that_lie_about_images(exposure, old, new, sentence):
    change(exposure, set_tree(old, new, "source: fits:SCI,1" if "dq" not in old else "slits:"))
    with pytest.raises(InputError, match=sentence):
        index(exposure)


@pytest.mark.parametrize("numbers", [[1.5, 2.0], [1.0, np.nan], [1.0, np.inf]])
def test_numbers_that_the_datatype_of_the_schema_cannot_hold(exposure, numbers):
    with fits.open(exposure, mode="update") as hdus:
        hdus["DQ", 1] = fits.ImageHDU(np.array([numbers], "f4"), name="DQ", ver=1)
    with pytest.raises(InputError, match=r"DQ,1 must be uint32: .* is not an integer"):
        index(exposure)


def test_images_have_the_order_of_the_schema(exposure):
    """As stdatamodels writes them, wherever they stood."""
    change(exposure, lambda parts: parts.hdus.insert(SCI, parts.hdus.pop(DQ)))
    swapped, sound = ([start for start, *_ in slit.hdus] for slit in layouts(exposure))
    assert swapped == sorted(swapped, reverse=True)
    assert sound == sorted(sound)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            lambda parts: parts.hdus[0][0].extend(
                f"TELESCOP= '{name}     '".encode().ljust(CARD) for name in ("HST", "XMM")
            ),
            "of repeated keywords the first counts: TELESCOP",
        ),
        (set_tree("grating: [A-Z0-9]+", "grating: G140M"), "the ASDF tree 'G140M', which counts"),
        (set_tree("^slits:\n- ", "slits:\n-\n  "), "it was laid out anew"),
        *(
            (set_tree("^( *)source_id:", rf"\1source_ra: {value}\n\1source_id:", "slits:"),
             "schema does not accept (source_ra")
            for value in (r'"a\\nb"', "true", "[1]", "99999999999999999999999")
        ),
    ],
)  # fmt: skip
def test_what_is_reported(exposure, edit, expected):
    assert expected in index(change(exposure, edit))


@pytest.mark.parametrize("value", ["", " ~", " null"])
def test_keys_without_a_value_are_left_out_as_asdf_does(exposure, value):
    change(exposure, set_tree("^( *)source_id:", rf"\1xsize:{value}\n\1source_id:", "slits:"))
    change(exposure, set_tree("^meta:", f"meta:\n  title:{value}"))
    assert "without a value are left out: title, xsize" in index(exposure)
    text = read_index(exposure)
    assert "xsize:" not in text and "title:" not in text and "title\t" not in text


def test_sets_keep_their_keys(exposure):
    change(exposure, set_tree("^meta:", "meta:\n  title: !!set {a, b: null}"))
    assert "without a value" not in index(exposure)
    assert "set> {a: null, b: null}" in read_index(exposure)


@pytest.mark.parametrize(
    ("value", "edited"),
    [
        # astropy takes any number for true, and mends what is false or empty.
        ("                  999", False),
        ("", True),
        ("                    F", True),
    ],
)
def test_extend(exposure, value, edited):
    assert (EDITED in index(change(exposure, set_card(0, f"EXTEND  ={value}")))) is edited
    assert EXTEND in read_index(exposure)


def test_extend_that_is_missing_is_no_edit(exposure):
    """astropy adds it, so that the hash that was taken with it is true again."""
    change(exposure, lambda _: None)
    change(exposure, remove_cards(0, b"EXTEND"), true_hash=False)
    assert b"EXTEND  " not in exposure.read_bytes()[:2880]
    assert EDITED not in index(exposure)


def described(exposure: Path, number: int) -> list[str]:
    """Cards of an image in a product's header."""
    *_, plan = layouts(exposure)[0].hdus[number]
    raw = split(exposure.read_bytes()).hdus[number + 1][0]
    cards = []
    for first, count, text in plan:
        cards += [card.decode() for card in raw[first : first + count]]
        cards += [text[start : start + CARD] for start in range(0, len(text), CARD)]
    return cards


def test_bscale_comes_with_bzero_as_astropy_writes_it(exposure):
    change(exposure, remove_cards(DQ, b"BSCALE"))
    assert any(c.startswith("BSCALE  =                    1") for c in described(exposure, 1))


def test_bscale_alone_is_left_out_and_bzero_follows_it_as_astropy_has_them(exposure):
    def edit(parts: Parts) -> None:
        parts.hdus[SCI][0].insert(-1, b"BSCALE  =                    1".ljust(CARD))
        cards = parts.hdus[DQ][0]
        cards.insert(-1, cards.pop([card[:5] for card in cards].index(b"BZERO")))

    change(exposure, edit)
    assert not any(card.startswith("BSCALE") for card in described(exposure, 0))
    keywords = [card[:8].strip() for card in described(exposure, 1)]
    assert keywords[keywords.index("BSCALE") + 1] == "BZERO"
