"""What a header says of a plane must be what the tree and the schema say, or it is told."""

import re
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from tiny import CARD, split, write_tiny

from exp_to_source.errors import InputError
from exp_to_source.formats.indices import IndexReader
from exp_to_source.formats.summaries import read_summaries
from exp_to_source.index.indexing import index_exposure

NAME = "jw00009001001_03101_00001_nrs1_cal.fits"
SCI, DQ = 1, 2


@pytest.fixture
def exposure(tmp_path: Path) -> Path:
    """A sound exposure."""
    path = tmp_path / NAME
    write_tiny(path)
    return path


def index(path: Path) -> list[str]:
    return index_exposure(str(path), str(path.with_suffix(".txt")))


def set_cards(path: Path, hdu: int, *cards: str, true_hash: bool = True) -> None:
    """Put cards in the place of those of the same keyword, or at the end."""
    parts = split(path.read_bytes())
    images = parts.hdus[hdu][0]
    for card in cards:
        image = card.encode().ljust(CARD)
        places = [n for n, old in enumerate(images) if old[:8] == image[:8]]
        if places:
            images[places[0]] = image
        else:
            images.append(image)
    path.write_bytes(parts.join(true_hash=true_hash))


def set_tree(path: Path, old: str, new: str) -> None:
    """Change the tree's description of SCI,1."""
    parts = split(path.read_bytes())
    text = "\n".join(parts.lines)
    place = text.index("source: fits:SCI,1")
    text = text[:place] + re.sub(old, new, text[place:], count=1)
    parts.lines[:] = text.split("\n")
    path.write_bytes(parts.join(true_hash=True))


@pytest.mark.parametrize("true_hash", [True, False])
@pytest.mark.parametrize(
    ("hdu", "card", "sentence"),
    [
        (SCI, "BSCALE  =                  2.0", "SCI,1 has scaled numbers"),
        (SCI, "BZERO   =                  1.0", "SCI,1 has scaled numbers"),
        (DQ, "BITPIX  =                  -32", "DQ,1 has scaled numbers"),
        (DQ, "BLANK   =                    0", "DQ,1 has scaled numbers"),
        (SCI, "NAXIS3  =                    1", "NAXIS is 2, but there are more axes"),
        (SCI, "PCOUNT  =                    8", "PCOUNT and GCOUNT of an image are not 0 and 1"),
        (SCI, "GCOUNT  =                    2", "PCOUNT and GCOUNT of an image are not 0 and 1"),
        (SCI, "GROUPS  =                    T", "GROUPS is T, which is not for exposures"),
    ],
)  # fmt: skip
def test_headers_that_lie_about_planes(exposure, hdu, card, sentence, true_hash):
    set_cards(exposure, hdu, card, true_hash=true_hash)
    with pytest.raises(InputError, match=re.escape(sentence)):
        index(exposure)


@pytest.mark.parametrize("keyword", ["XTENSION", "BITPIX", "NAXIS1", "PCOUNT", "EXTNAME", "EXTVER"])
def test_structural_keywords_that_stand_twice(exposure, keyword):
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


@pytest.mark.parametrize("place", range(5))
def test_mandatory_keywords_out_of_order(exposure, place):
    parts = split(exposure.read_bytes())
    cards = parts.hdus[SCI][0]
    cards.append(cards.pop(place))
    exposure.write_bytes(parts.join(true_hash=True))
    with pytest.raises(InputError, match=r"is not card|but bytes without a header from byte"):
        index(exposure)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("datatype: .*", "datatype: float64", "SCI,1 is float32 in its header and float64"),
        ("datatype: .*", "datatype: [ascii, 4]", "SCI,1 is float32 in its header"),
        ("byteorder: .*", "byteorder: little", "SCI,1 has byteorder little in the tree"),
        ("shape: .*", "shape: [2, 1]", "SCI,1 has shape"),
        ("shape: .*", "shape: x", "SCI,1 has shape"),
        ("( *)byteorder", "\\1strides: [4, 4]\n\\1byteorder", "description in the tree"),
        ("( *)byteorder", "\\1offset: 4\n\\1byteorder", "description in the tree"),
        ("( *)byteorder", "\\1mask: 0\n\\1byteorder", "description in the tree"),
        (" *shape: .*\n", "", "description in the tree"),
    ],
)
def test_trees_that_lie_about_planes(exposure, old, new, sentence):
    set_tree(exposure, old, new)
    with pytest.raises(InputError, match=sentence):
        index(exposure)


@pytest.mark.parametrize("numbers", [[1.5, 2.0], [1.0, np.nan], [1.0, np.inf]])
def test_numbers_that_the_datatype_of_the_schema_cannot_hold(exposure, numbers):
    with fits.open(exposure, mode="update") as hdus:
        hdus["DQ", 1] = fits.ImageHDU(np.array([numbers], "f4"), name="DQ", ver=1)
    with pytest.raises(InputError, match=r"DQ,1 must be uint32: .* is not an integer"):
        index(exposure)


def test_planes_have_the_order_of_the_schema(exposure):
    """As stdatamodels writes them, wherever they stood."""
    parts = split(exposure.read_bytes())
    parts.hdus[SCI], parts.hdus[DQ] = parts.hdus[DQ], parts.hdus[SCI]
    exposure.write_bytes(parts.join(true_hash=True))
    index(exposure)
    with IndexReader(str(exposure.with_suffix(".txt"))) as reader:
        starts = [
            [start for start, *_ in reader.layout(digest).hdus]
            for digest, *_ in read_summaries(reader)
        ]
    assert starts[0] == sorted(starts[0], reverse=True)
    assert starts[1] == sorted(starts[1])


def test_other_keywords_that_stand_twice_are_told(exposure):
    parts = split(exposure.read_bytes())
    parts.hdus[0][0].append(b"TELESCOP= 'HST     '".ljust(CARD))
    parts.hdus[0][0].append(b"TELESCOP= 'XMM     '".ljust(CARD))
    exposure.write_bytes(parts.join(true_hash=True))
    told = "of repeated keywords the first counts: TELESCOP"
    assert told in [remark.text for remark in index(exposure)]


def remarks(path: Path) -> str:
    return "\n".join(remark.text for remark in index(path))


def test_a_plane_under_another_key_is_refused(exposure):
    parts = split(exposure.read_bytes())
    number = next(n for n, line in enumerate(parts.lines) if line.startswith("  dq:"))
    parts.lines[number] = parts.lines[number].replace("dq", "dk")
    exposure.write_bytes(parts.join(true_hash=True))
    with pytest.raises(InputError, match="slit 1 has DQ,1 as dk, not as dq"):
        index(exposure)


@pytest.mark.parametrize("value", ["", " ~", " null"])
def test_keys_without_a_value_are_left_out_as_asdf_does(exposure, value):
    parts = split(exposure.read_bytes())
    start = parts.lines.index("slits:")
    number = next(n for n in range(start, len(parts.lines)) if "source_id:" in parts.lines[n])
    parts.lines.insert(number, f"  xsize:{value}")
    meta = parts.lines.index("meta:")
    parts.lines.insert(meta + 1, f"  title:{value}")
    exposure.write_bytes(parts.join(true_hash=True))
    assert "without a value are left out: title, xsize" in remarks(exposure)
    text = exposure.with_suffix(".txt").read_text()
    assert "xsize:" not in text and "title:" not in text and "title\t" not in text


def test_sets_keep_their_keys(exposure):
    parts = split(exposure.read_bytes())
    parts.lines.insert(parts.lines.index("meta:") + 1, "  title: !!set {a, b: null}")
    exposure.write_bytes(parts.join(true_hash=True))
    assert "without a value" not in remarks(exposure)
    text = exposure.with_suffix(".txt").read_text()
    assert "set> {a: null, b: null}" in text


def test_an_extend_that_readers_take_for_true_is_no_edit(exposure):
    parts = split(exposure.read_bytes())
    cards = parts.hdus[0][0]
    number = next(n for n, card in enumerate(cards) if card.startswith(b"EXTEND"))
    cards[number] = b"EXTEND  =                  999".ljust(CARD)
    exposure.write_bytes(parts.join(true_hash=True))
    assert "the headers' values are used" not in remarks(exposure)
    assert "EXTEND  =                    T" in exposure.with_suffix(".txt").read_text()


@pytest.mark.parametrize("card", ["EXTEND  =", "EXTEND  =                    F"])
def test_readers_mend_extend_and_so_take_the_values_of_headers(exposure, card):
    set_cards(exposure, 0, card)
    assert "the headers' values are used" in remarks(exposure)
    assert "EXTEND  =                    T" in exposure.with_suffix(".txt").read_text()


def test_bscale_comes_with_bzero_as_astropy_writes_it(exposure):
    parts = split(exposure.read_bytes())
    parts.hdus[DQ][0][:] = [card for card in parts.hdus[DQ][0] if not card.startswith(b"BSCALE")]
    exposure.write_bytes(parts.join(true_hash=True))
    index(exposure)
    with IndexReader(str(exposure.with_suffix(".txt"))) as reader:
        head = next(read_summaries(reader))
        layout = reader.layout(head.digest)
    *_, plan = layout.hdus[1]
    assert any(text.startswith("BSCALE  =                    1") for *_, text in plan)


@pytest.mark.parametrize("value", ['"a\\nb"', "true", "[1]", "99999999999999999999999"])
def test_values_of_a_tree_that_the_schema_does_not_accept_are_told(exposure, value):
    parts = split(exposure.read_bytes())
    start = parts.lines.index("slits:")
    number = next(n for n in range(start, len(parts.lines)) if "source_id:" in parts.lines[n])
    parts.lines.insert(number, f"  source_ra: {value}")
    exposure.write_bytes(parts.join(true_hash=True))
    assert "schema does not accept (source_ra" in remarks(exposure)


def test_primary_and_tree_name_another_grating(exposure):
    parts = split(exposure.read_bytes())
    text = "\n".join(parts.lines)
    assert "grating: " in text
    parts.lines[:] = re.sub("grating: [A-Z0-9]+", "grating: G140M", text, count=1).split("\n")
    exposure.write_bytes(parts.join(true_hash=True))
    assert "the ASDF tree 'G140M', which counts" in remarks(exposure)


def test_slits_that_begin_on_another_line_are_laid_out_anew(exposure):
    parts = split(exposure.read_bytes())
    start = parts.lines.index("slits:") + 1
    parts.lines[start : start + 1] = ["-", "  " + parts.lines[start].removeprefix("- ")]
    exposure.write_bytes(parts.join(true_hash=True))
    assert "it was laid out anew" in remarks(exposure)


def test_extend_that_is_missing_is_no_edit(exposure):
    """astropy adds it, so that the hash that was taken with it is true again."""
    parts = split(exposure.read_bytes())
    whole = parts.join(true_hash=True)
    parts = split(whole)
    parts.hdus[0][0][:] = [card for card in parts.hdus[0][0] if not card.startswith(b"EXTEND")]
    exposure.write_bytes(parts.join(true_hash=False))
    assert b"EXTEND  " not in exposure.read_bytes()[:2880]
    assert "the headers' values are used" not in remarks(exposure)


def plans(exposure, plane):
    """What a product's header of a plane has that describes data."""
    index(exposure)
    with IndexReader(str(exposure.with_suffix(".txt"))) as reader:
        layout = reader.layout(next(read_summaries(reader)).digest)
    *_, plan = layout.hdus[plane]
    raw = split(exposure.read_bytes()).hdus[plane + 1][0]
    cards = []
    for first, count, text in plan:
        cards += [card.decode() for card in raw[first : first + count]]
        cards += [text[start : start + 80] for start in range(0, len(text), 80)]
    return [card[:8].strip() for card in cards]


def test_bscale_alone_is_left_out_and_bzero_follows_it_as_astropy_has_them(exposure):
    parts = split(exposure.read_bytes())
    parts.hdus[SCI][0].insert(-1, b"BSCALE  =                    1".ljust(80))
    cards = parts.hdus[DQ][0]
    bzero = next(card for card in cards if card.startswith(b"BZERO"))
    cards.remove(bzero)
    cards.insert(-1, bzero)
    exposure.write_bytes(parts.join(true_hash=True))
    assert "BSCALE" not in plans(exposure, 0)
    described = plans(exposure, 1)
    assert described[described.index("BSCALE") + 1] == "BZERO"
