"""Cards are read and made as astropy does."""

import pytest
from astropy.io.fits import Card, Header

from exp_to_source.formats.cards import apply_plan, finish_header, format_card, format_commentary
from exp_to_source.formats.template import CARDS_PLACEHOLDER, ENTRY_PLACEHOLDER
from exp_to_source.index.fitsfile import card_value

VALUES = [
    *("", "x", "it's", "N/A", "quote ''", "&", "ends with &"),
    *(True, False, 0, -7, 10**12),
    *(0.0, -0.0, 0.1, 1e-300, 1e20, 1.0, -1.2345678901234567e-100, 123456789.123456789),
]


@pytest.mark.parametrize("value", VALUES)
def test_cards_equal_those_of_astropy(value):
    image = format_card("KEYWORD", value, "a comment")
    assert image.decode() == str(Card("KEYWORD", value, "a comment"))
    assert card_value(image) == Card.fromstring(image).value


@pytest.mark.parametrize("value", ["POLYGON ICRS " + "53.1234567 -27.8 " * 9, "'" * 70, "a" * 69])
def test_long_strings_go_on_in_continue_cards(value: str):
    image = format_card("S_REGION", value)
    assert len(image) > 80
    assert Header.fromstring(image.decode())["S_REGION"] == value.rstrip()
    assert card_value(image) == value.rstrip()


@pytest.mark.parametrize("image", ["KEYWORD =  1.5D-3 / x", "KEYWORD = / none", "KEYWORD =   -12"])
def test_other_forms_of_values(image: str):
    card = image.replace("D-3", "E-3").ljust(80)
    expected = Card.fromstring(card).value
    assert card_value(image.ljust(80).encode()) == (None if "none" in image else expected)


def test_what_no_card_can_hold_is_refused():
    for value in ("é", "two\nlines"):
        with pytest.raises(ValueError, match="printable ASCII"):
            format_card("KEYWORD", value)


def test_history_is_wrapped():
    raw = format_commentary("HISTORY", "x" * 100)
    assert "".join(Header.fromstring(raw.decode())["HISTORY"]) == "x" * 100


def test_plans_put_headers_together():
    cards = [
        f"{word:8}= {n:>20}" for n, word in enumerate(["XTENSION", "A", "SAME", "EXTVER", "B"])
    ]
    raw = "".join(card.ljust(80) for card in cards).encode()
    plan = [(0, 1, CARDS_PLACEHOLDER + ENTRY_PLACEHOLDER + "NEW     = 1".ljust(80)), (1, 2, "")]
    exposure = [("MJD", "MJD     = 5".ljust(80)), ("SAME", "SAME    = 9".ljust(80))]
    planned = apply_plan(raw, plan)
    first = Header.fromstring(finish_header(planned, 1, exposure).decode())
    assert list(first) == ["XTENSION", "MJD", "SAME", "EXTVER", "NEW", "A"]
    assert (first["EXTVER"], first["SAME"]) == (1, 2)
    later = Header.fromstring(finish_header(planned, 7).decode())
    assert list(later) == ["XTENSION", "EXTVER", "NEW", "A", "SAME"]
    assert later["EXTVER"] == 7
