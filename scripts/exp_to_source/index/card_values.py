"""Values of FITS cards (FITS standard 4.0, section 4.2)."""

import math
import re

from ..formats.cards import CARD, Value

#: A number in a card, as a regular expression.
MANTISSA = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
NUMBER = f"{MANTISSA}(?:[EeDd][+-]?[0-9]+)?"


def card_value(image: bytes) -> Value:
    """Return the value of a card, CONTINUE cards included.

    Raises
    ------
    ValueError
        If the card's value is not valid FITS.
    """
    field = image[10:CARD].decode("latin-1").strip()
    if not field.startswith("'"):
        word = field.partition("/")[0].strip()
        if not word:
            return None
        if word in ("T", "F"):
            return word == "T"
        if not re.fullmatch(NUMBER, word):
            raise ValueError(f"{word!r} is not a valid value")
        try:
            return int(word)
        except ValueError:
            number = float(word.upper().replace("D", "E"))
        if not math.isfinite(number):
            raise ValueError(f"{word} is not a finite number")
        return number
    text = _quoted(field)
    for start in range(CARD, len(image), CARD):
        if not text.endswith("&"):
            break
        text = text[:-1] + _quoted(image[start + 8 : start + CARD].decode("latin-1").strip())
    return text.rstrip()


def _quoted(field: str) -> str:
    """Return the text between the quotes at the start of a card's value field."""
    end = 1
    while True:
        end = field.find("'", end)
        if end < 0:
            raise ValueError(f"no closing quote in {field!r}")
        if field[end : end + 2] != "''":
            return field[1:end].replace("''", "'")
        end += 2
