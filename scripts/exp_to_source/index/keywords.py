"""Keywords of a product's headers and their order, from the schema of MultiExposureModel.

``update_keywords.py`` makes the table from stdatamodels, so that headers can be laid out exactly as
in the data model without loading a schema (which takes a second).
"""

import json
from collections.abc import Mapping
from functools import cache
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


class Plane(NamedTuple):
    """Key of a plane in the tree of a slit, and its data type."""

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
    planes: dict[str, Plane]
    types: dict[str, str]
    entry_types: dict[str, str]


@cache
def table() -> Table:
    """Read the table of keywords."""
    raw = json.loads(Path(__file__).with_name("keywords.json").read_text(encoding="utf-8"))
    values = [tuple(each) for each in raw["values"]]
    product, entry = (
        [
            Keyword._make((*about, tuple(around), kind, () if number is None else values[number]))
            for *about, around, kind, number in raw[part]
        ]
        for part in ("product", "entry")
    )
    planes = {name: Plane(*about) for name, about in raw["planes"].items()}
    types = (raw[part] for part in ("types", "entry_types"))
    return Table(raw["pipeline"], raw["sections"], product, entry, planes, *types)


def accepts(word: Keyword, value: Value) -> bool:
    """Whether the schema accepts a value for a keyword; stdatamodels casts no values."""
    return is_of_type(word.type, value) and (not word.values or value in word.values)


def is_of_type(wanted: str, value: Value) -> bool:
    """Whether a value has a type of the schema; in ASDF, integers have 64 bits."""
    return (
        isinstance(value, TYPES[wanted])
        and isinstance(value, bool) == (wanted == "boolean")
        and not (isinstance(value, int) and not -(1 << 63) <= value < 1 << 63)
    )


#: A card: its position in the input's header (first, count), or its image, or a mark.
Place = tuple[int, int] | bytes


def lay_out(
    keywords: list[Keyword], present: Mapping[str, Place]
) -> dict[str, list[tuple[str, Place]]]:
    """Put cards in order, with the comment cards of the sections that they open.

    Parameters
    ----------
    keywords : list of Keyword
        The order.
    present : mapping
        Path to card, for each leaf that the tree has.

    Returns
    -------
    dict
        HDU name to list of (keyword, card); comment cards have keyword ``""``.
    """
    laid: dict[str, list[tuple[str, Place]]] = {}
    opened: set[int] = set()
    for keyword in keywords:
        if keyword.path not in present:
            continue
        cards = laid.setdefault(keyword.hdu, [])
        for section in keyword.sections:
            if section not in opened:
                opened.add(section)
                cards.append(("", section_cards(section)))
        cards.append((keyword.name, present[keyword.path]))
    return laid


@cache
def section_cards(section: int) -> bytes:
    """Three comment cards: the title of a section between blank ones."""
    lines = ("", table().sections[section], "")
    return b"".join(format_commentary("", line) for line in lines)


def compress(places: list[Place], header: Header) -> Plan:
    """Make a plan of cards in order: adjacent cards joined, comment cards located in the input."""
    plan: Plan = [(0, 0, "")]
    for number, place in enumerate(places):
        if isinstance(place, bytes) and number + 1 < len(places):
            place = _found_before(place, places[number + 1], header)
        first, count, text = plan[-1]
        if isinstance(place, bytes):
            plan[-1] = (first, count, text + place.decode("ascii"))
        elif first + count == place[0] and not text:
            plan[-1] = (first, count + place[1], "")
        else:
            plan.append((*place, ""))
    return plan


def _found_before(image: bytes, following: Place, header: Header) -> Place:
    """Position of an image in the input's header, if it is right before the next card."""
    if isinstance(following, tuple):
        count = len(image) // CARD
        first = following[0] - count
        if first >= 0 and header.raw[first * CARD : following[0] * CARD] == image:
            return first, count
    return image
