"""FITS cards of products: copying them, and making the few new ones.

Card images are copied unchanged wherever possible (FITS standard 4.0, section 4).
"""

from __future__ import annotations

from .. import TYPE_CHECKING
from .template import CARDS_PLACEHOLDER, ENTRY_PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BLOCK = 2880
CARD = 80
END = b"END".ljust(CARD)

Value = str | int | float | bool | None

#: Steps of a header's plan: cards to copy from the input's header (first, count), and new cards
#: after them as text, which may contain placeholders (see `template`) and be empty.
Plan = list[tuple[int, int, str]]


def padded_size(size: int) -> int:
    """Round a size in bytes up to whole FITS blocks."""
    return -(-size // BLOCK) * BLOCK


def is_card_text(text: str) -> bool:
    """Whether cards can hold a string: printable ASCII."""
    return text.isascii() and text.isprintable()


def format_card(keyword: str, value: Value, comment: str = "") -> bytes:
    """Format the card image(s) of a keyword as astropy does.

    Strings that do not fit in one card continue in CONTINUE cards, without their comment; a value
    that no card can hold (characters that are not printable ASCII, infinity) is a ValueError.
    """
    if isinstance(value, str):
        if not is_card_text(value):
            raise ValueError(f"{keyword}: FITS cards hold printable ASCII only, not {value!r}")
        quoted = value.replace("'", "''")
        if len(quoted) > CARD - 12:
            return _format_long(keyword, value)
        # The empty string is the only value that astropy does not pad.
        field = f"'{quoted:8}'".ljust(20) if value else "''"
    elif isinstance(value, bool):
        field = f"{'T' if value else 'F':>20}"
    elif isinstance(value, float):
        # Infinity or NaN, found without `math`, whose import a gather would feel.
        if not abs(value) < float("inf"):
            raise ValueError(f"{keyword}: FITS cards hold finite numbers only, not {value}")
        field = f"{_format_float(value):>20}"
    else:
        field = f"{value:>20}"
        if len(field) > CARD - 10:
            raise ValueError(f"{keyword}: {len(field)} digits do not fit a FITS card")
    image = f"{keyword:8}= {field}" + (f" / {comment}" if comment else "")
    return image[:CARD].ljust(CARD).encode("ascii")


def _format_float(value: float) -> str:
    """Format a float as astropy does: shortest form, capital E, at most 20 characters."""
    text = str(value).replace("e", "E")
    if "." not in text and "E" not in text:
        text += ".0"
    if len(text) > 20:
        mantissa, _, exponent = text.partition("E")
        text = mantissa[: 20 - len(exponent) - 1] + "E" + exponent if exponent else text[:20]
    return text


def _format_long(keyword: str, value: str) -> bytes:
    """Split a long string into CONTINUE cards of 67 characters each, without splitting quotes."""
    images = []
    start = 0
    while start < len(value):
        stop = start + 67
        while len(value[start:stop].replace("'", "''")) > 67:
            stop -= 1
        part = value[start:stop].replace("'", "''") + ("&" if stop < len(value) else "")
        lead = "CONTINUE  " if start else f"{keyword:8}= "
        images.append(f"{lead}'{part}'".ljust(CARD))
        start = stop
    return "".join(images).encode("ascii")


def format_commentary(keyword: str, text: str) -> bytes:
    """Format as many cards of a commentary keyword (HISTORY, COMMENT, blank) as a text needs."""
    parts = [text[start : start + 72] for start in range(0, len(text), 72)] or [""]
    return b"".join(f"{keyword:8}{part:72}".encode("ascii", "replace") for part in parts)


def header_blocks(cards: Iterable[bytes]) -> bytes:
    """Join card images and END into complete header blocks."""
    raw = b"".join(cards) + END
    return raw.ljust(padded_size(len(raw)))


def apply_plan(raw: bytes, plan: Plan) -> bytes:
    """Copy cards from the header of an exposure's HDU, and insert new ones with placeholders."""
    parts: list[bytes] = []
    for first, count, text in plan:
        parts += (raw[first * CARD : (first + count) * CARD], text.encode("ascii"))
    return b"".join(parts)


def finish_header(cards: bytes, entry: int, exposure_cards: Sequence[Sequence[str]] = ()) -> bytes:
    """Fill in the placeholders of cards of `apply_plan`, and join them into header blocks.

    Keyword and image of the exposure's own cards are for the first entry only. A card of the slit
    replaces the exposure's card of the same keyword, as in stdatamodels, which writes the slit's
    after the exposure's.
    """
    version = format_card("EXTVER", entry, "extension value")
    cards = cards.replace(ENTRY_PLACEHOLDER.encode(), version)
    before, placeholder, after = cards.partition(CARDS_PLACEHOLDER.encode())
    if not (placeholder and exposure_cards):
        return header_blocks((before, after))
    images = [part[n : n + CARD] for part in (before, after) for n in range(0, len(part), CARD)]
    numbers = {image[:8].decode("latin-1").rstrip(): n for n, image in enumerate(images)}
    numbers.pop("", None)
    new = []
    for keyword, image in exposure_cards:
        if keyword in numbers:
            new.append(images[numbers[keyword]])
            images[numbers[keyword]] = b""
        else:
            new.append(image.encode("ascii"))
    position = len(before) // CARD
    return header_blocks((*images[:position], *new, *images[position:]))
