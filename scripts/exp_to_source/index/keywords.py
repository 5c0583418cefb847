"""Keywords of a product's headers and their order, from the schema of MultiExposureModel.

``update_tables.py`` writes the table from stdatamodels, so that headers can be laid out exactly
as in the data model without loading a schema (which takes a second).
"""

import json
from collections.abc import Mapping
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from ..formats.cards import CARD, Plan, Value, format_commentary
from .fitsfile import Header

#: Types of the schema as Python types; in the schema, a boolean is not a number.
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


class Keyword(NamedTuple):
    """A leaf of the schema that has a keyword; without `values`, any value of its type is valid."""

    path: str
    name: str
    hdu: str
    comment: str
    sections: tuple[int, ...]
    type: str
    values: tuple[str | int, ...]


class Image(NamedTuple):
    """Key of an image extension in the tree of a slit, and its datatype."""

    key: str
    datatype: str


class Table(NamedTuple):
    """Schema of a product, and of each of its entries.

    Keywords are in the order of writing; types are for all nodes, by path; the pipeline is the
    version of jwst that came with this schema.
    """

    pipeline: str
    sections: list[str]
    product: list[Keyword]
    entry: list[Keyword]
    images: dict[str, Image]
    types: dict[str, str]
    entry_types: dict[str, str]


@cache
def table() -> Table:
    """Read the table of keywords."""
    raw = json.loads(Path(__file__).with_name("keywords.json").read_text(encoding="utf-8"))
    values = [tuple(each) for each in raw["values"]]
    product, entry = (
        [
            Keyword._make((*start, tuple(around), kind, () if number is None else values[number]))
            for *start, around, kind, number in raw[part]
        ]
        for part in ("product", "entry")
    )
    images = {name: Image(*fields) for name, fields in raw["planes"].items()}
    types = (raw[part] for part in ("types", "entry_types"))
    return Table(raw["pipeline"], raw["sections"], product, entry, images, *types)


def accepts(keyword: Keyword, value: Value) -> bool:
    """Check whether the schema accepts a value for a keyword; stdatamodels casts no values."""
    return is_of_type(keyword.type, value) and (not keyword.values or value in keyword.values)


def is_of_type(schema_type: str, value: Value) -> bool:
    """Check whether a value has a type of the schema; in ASDF, integers have 64 bits."""
    return (
        isinstance(value, TYPES[schema_type])
        and isinstance(value, bool) == (schema_type == "boolean")
        and not (isinstance(value, int) and not -(1 << 63) <= value < 1 << 63)
    )


#: A card: its position in the input's header (first, count), or its image, or a mark.
Card = tuple[int, int] | bytes


def lay_out(leaves: list[Keyword], cards: Mapping[str, Card]) -> dict[str, list[tuple[str, Card]]]:
    """Put cards, by path, in order, with the comment cards of the sections that they open.

    The result has the keywords and cards of each HDU; comment cards have keyword ``""``.
    """
    headers: dict[str, list[tuple[str, Card]]] = {}
    opened: set[int] = set()
    for keyword in leaves:
        if keyword.path not in cards:
            continue
        header = headers.setdefault(keyword.hdu, [])
        for section in keyword.sections:
            if section not in opened:
                opened.add(section)
                header.append(("", section_cards(section)))
        header.append((keyword.name, cards[keyword.path]))
    return headers


@cache
def section_cards(section: int) -> bytes:
    """Return three comment cards: the title of a section between blank ones."""
    lines = ("", table().sections[section], "")
    return b"".join(format_commentary("", line) for line in lines)


def plan_cards(cards: list[Card], header: Header) -> Plan:
    """Plan cards in order: adjacent cards joined, comment cards located in the input's header."""
    plan: Plan = [(0, 0, "")]
    for card, following in zip_longest(cards, cards[1:]):
        if isinstance(card, bytes) and isinstance(following, tuple):
            count = len(card) // CARD
            position = following[0] - count, count
            if position[0] >= 0 and header.cards(position) == card:
                card = position
        first, count, text = plan[-1]
        if isinstance(card, bytes):
            plan[-1] = (first, count, text + card.decode("ascii"))
        elif first + count == card[0] and not text:
            plan[-1] = (first, count + card[1], "")
        else:
            plan.append((*card, ""))
    return plan
