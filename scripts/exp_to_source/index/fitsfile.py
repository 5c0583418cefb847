"""The layout of FITS files: finds every HDU by scanning header blocks, and reads nothing else.

FITS standard 4.0, sections 3 and 4.
"""

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ..errors import InputError
from ..formats.cards import BLOCK, CARD, END, Value, padded_size

#: A larger header is taken for damage: the largest real ones have a few hundred cards.
MAX_HEADER = 1000 * BLOCK

#: Size of the pieces in which data are read.
BUFFER = 1 << 20

#: A number in a card, as a regular expression.
MANTISSA = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
NUMBER = f"{MANTISSA}(?:[EeDd][+-]?[0-9]+)?"

_STRING, _REST = r"'[ -&(-~]*(?:''[ -&(-~]*)*'", " *(?:/.*)?"
_VALUE = f" *(?:{_STRING}|[TF]|{NUMBER})?{_REST}"
#: A number that may be too large for a float, which astropy rewrites.
_LARGE = re.compile(f".{{10}} *({MANTISSA}[EeDd][+]?[0-9]{{3,}})")
#: A card, whose keyword may be alone only if it has no value.
VALID_CARD = re.compile(
    f"(?=.{{8}}= )(?!CONTINUE)[A-Z0-9_-]+ *= {_VALUE}"
    f"|(?:COMMENT |HISTORY |HIERARCH| {{8}}|END {{77}}).*|CONTINUE  *{_STRING}{_REST}",
    re.DOTALL,
)
#: Keywords that readers resolve differently if they are repeated.
UNIQUE_KEYWORDS = frozenset(
    (
        *("SIMPLE", "XTENSION", "BITPIX", "NAXIS", "PCOUNT", "GCOUNT", "EXTEND", "GROUPS"),
        *("BSCALE", "BZERO", "BLANK", "EXTNAME", "EXTVER", "EXTLEVEL"),
    )
) | {f"NAXIS{n}" for n in range(1, 1000)}

#: A card whose string continues, and the next card.
CONTINUED = re.compile(f".*&'{_REST}CONTINUE.*", re.DOTALL)


@lru_cache(maxsize=1 << 14)
def parse_keyword(card: str) -> str | None:
    """Return the keyword of a card; None if the card does not follow the standard.

    Cached, as `card_value` is, because many cards recur.
    """
    if not VALID_CARD.fullmatch(card):
        return None
    large = _LARGE.match(card)
    if large and math.isinf(float(large[1].upper().replace("D", "E"))):
        return None
    return card[:8].rstrip()


@lru_cache(maxsize=1 << 14)
def card_value(image: bytes) -> Value:
    """Return the value of a card, CONTINUE cards included; a ValueError if it is not valid FITS."""
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
    match = re.match("'((?:[^']|'')*+)'", field)
    if not match:
        raise ValueError(f"no closing quote in {field!r}")
    return match[1].replace("''", "'")


class Header:
    """The cards of one header, made from its blocks as in the file.

    Attributes
    ----------
    numbers : dict
        Keyword to number of its first card and count (above one if CONTINUE follows). The first of
        equal keywords is used, as in astropy.
    repeated : set
        Keywords that occur more than once, with different cards, including those of comments.
    invalid : dict
        Cards that do not follow the standard, by keyword in capitals; they are not read.
    """

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.numbers: dict[str, tuple[int, int]] = {}
        self.repeated: set[str] = set()
        self.invalid: dict[str, str] = {}
        text, numbers = raw.decode("latin-1"), self.numbers
        last: str | None = None
        for number, start in enumerate(range(0, len(text), CARD)):
            card = text[start : start + CARD]
            keyword = parse_keyword(card)
            if keyword == "END":
                break
            if (
                keyword == "CONTINUE"
                and number
                and CONTINUED.fullmatch(text, start - CARD, start + CARD)
            ):
                if last is not None:
                    numbers[last] = (numbers[last][0], numbers[last][1] + 1)
            elif keyword is None or keyword == "CONTINUE":
                last = None
                self.invalid[card[:8].partition("=")[0].strip().upper()] = card.rstrip()
            elif keyword in numbers:
                last = None
                first = numbers[keyword][0] * CARD
                if text[first : first + CARD] != card:
                    self.repeated.add(keyword)
            else:
                last = keyword
                numbers[keyword] = (number, 1)

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.numbers

    def cards(self, position: tuple[int, int]) -> bytes:
        """Return the images of cards, given the number of the first and their count."""
        first, count = position
        return self.raw[first * CARD : (first + count) * CARD]

    def get(self, keyword: str, default: Value = None) -> Value:
        """Return the value of a keyword, or `default` if it is absent or undefined."""
        position = self.numbers.get(keyword)
        if position is None:
            return default
        value = card_value(self.cards(position))
        return default if value is None else value


@dataclass(slots=True)
class HDU:
    """One header and data unit, with its position in the file in bytes."""

    name: str  #: EXTNAME in capitals; ``PRIMARY`` for the first
    version: int  #: EXTVER, 1 if absent
    start: int
    data_start: int
    data_size: int  #: without padding
    shape: tuple[int, ...]  #: NAXISn in numpy's order (slowest first)
    header: Header

    def __str__(self) -> str:
        return f"{self.name},{self.version}"

    @property
    def end(self) -> int:
        """Offset of the first byte after the padded data."""
        return self.data_start + padded_size(self.data_size)


def read_pieces(file: int, path: str, start: int, size: int, step: int = BUFFER) -> Iterator[bytes]:
    """Read part of a file in pieces of `step` bytes; `path` is its name for messages."""
    while size:
        data = os.pread(file, min(size, step), start)
        if not data:
            raise InputError(f"{path}: became shorter while it was read; run again")
        yield data
        start += len(data)
        size -= len(data)


def scan(file: int, path: str) -> Iterator[HDU]:
    """Find every HDU of a FITS file, reading headers only; `path` is its name for messages.

    Bytes after the last HDU are ignored, as the last may be without its padding. An InputError, if
    it is not a FITS file, or damaged, or shorter than its headers say.
    """
    size = os.fstat(file).st_size
    if not size:
        raise InputError(f"{path}: empty file; get it again")
    position = number = 0
    while position < size:
        raw = _read_header(file, path, position, first=not number)
        if raw is None:
            break
        try:
            hdu = _hdu(Header(raw), position, first=not number)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{path}: HDU {number} has a damaged header ({error}); correct it, or get the file "
                "again"
            ) from None
        if hdu.data_start + hdu.data_size > size:
            raise InputError(
                f"{path}: truncated: HDU {number} ({hdu}) goes beyond the file's {size} bytes; "
                "get it again"
            )
        yield hdu
        position = hdu.end
        number += 1


def _read_header(file: int, path: str, position: int, first: bool) -> bytes | None:
    """Read the header blocks at an offset; None if no HDU begins there."""
    raw = b""
    while len(raw) < MAX_HEADER:
        block = os.pread(file, BLOCK, position + len(raw))
        if not raw:
            if first and not block.startswith(b"SIMPLE  ="):
                is_gzip = block.startswith(b"\x1f\x8b")
                what = "a gzip file, unpack it with gunzip" if is_gzip else "not a FITS file"
                raise InputError(f"{path}: {what}; a cal exposure (*_cal.fits) is needed")
            if not first and not block.startswith(b"XTENSION"):
                return None
        raw += block
        end = raw.find(END, len(raw) - len(block))
        while end >= 0 and end % CARD:
            end = raw.find(END, end + 1)
        if end >= 0:
            stop = padded_size(end + CARD)
            if raw[end + CARD : stop].strip(b" "):
                raise InputError(
                    f"{path}: damaged header at byte {position}: it goes on after its end; get "
                    "the file again"
                )
            return raw[:stop]
        if len(block) < BLOCK:
            break
    raise InputError(f"{path}: truncated in the header at byte {position}; get the file again")


def _hdu(header: Header, start: int, first: bool) -> HDU:
    """Describe an HDU by its header."""
    axes = [_count(header, f"NAXIS{n + 1}") for n in range(_count(header, "NAXIS"))]
    _check_structure(header, len(axes), first)
    if first and header.get("SIMPLE") is not True:
        raise ValueError("SIMPLE is not T")
    bits = header.get("BITPIX")
    if type(bits) is not int or bits not in (8, 16, 32, 64, -32, -64):
        raise ValueError(f"BITPIX is {bits!r}")
    if header.get("GROUPS") is True:
        raise ValueError("GROUPS is T, which is not for exposures")
    groups, extra = _count(header, "GCOUNT", 1), _count(header, "PCOUNT", 0)
    size = abs(bits) // 8 * groups * (extra + math.prod(axes)) if axes else 0
    version = header.get("EXTVER") if "EXTVER" in header else 1
    if isinstance(version, float) and version.is_integer():
        version = int(version)
    if type(version) is not int:
        raise ValueError(f"EXTVER is {version!r}")
    # As in astropy, which ignores case.
    name = "PRIMARY" if first else str(header.get("EXTNAME", "")).upper()
    data_start = start + len(header.raw)
    return HDU(name, version, start, data_start, size, tuple(reversed(axes)), header)


def _check_structure(header: Header, n_axes: int, first: bool) -> None:
    """Check the order of mandatory keywords, and that all readers resolve them alike.

    PCOUNT and GCOUNT may be absent, or anywhere, as readers accept it.
    """
    order = ["SIMPLE" if first else "XTENSION", "BITPIX", "NAXIS"]
    order += (f"NAXIS{n + 1}" for n in range(n_axes))
    for number, keyword in enumerate(order):
        if header.numbers.get(keyword) != (number, 1):
            raise ValueError(f"{keyword} is not card {number + 1}")
    if repeated := header.repeated & UNIQUE_KEYWORDS:
        raise ValueError(f"{', '.join(sorted(repeated))} has several values")
    if invalid := UNIQUE_KEYWORDS.intersection(header.invalid):
        raise ValueError(f"{header.invalid[min(invalid)]!r} is not a card")
    if sum(keyword.startswith("NAXIS") for keyword in header.numbers) != 1 + n_axes:
        raise ValueError(f"NAXIS is {n_axes}, but there are more axes")
    counts = header.get("PCOUNT", 0), header.get("GCOUNT", 1)
    if header.get("XTENSION") == "IMAGE" and counts != (0, 1):
        raise ValueError("PCOUNT and GCOUNT of an image are not 0 and 1")


def _count(header: Header, keyword: str, default: int | None = None) -> int:
    """Return the value of a keyword that must be an integer of at least 0."""
    value = header.get(keyword) if keyword in header else default
    if type(value) is not int or value < 0:
        raise ValueError(f"{keyword} is {value!r}")
    return value
