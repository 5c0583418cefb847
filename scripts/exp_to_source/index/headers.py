"""The headers of products, planned from those of an exposure.

stdatamodels writes headers from its schema: in the schema's order, one card for each leaf of the
tree. Card images are copied from the input if it has them.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

from ..formats.cards import CARD, Plan, Value, format_card, is_card_text
from ..formats.template import CARDS_PLACEHOLDER, ENTRY_PLACEHOLDER
from .datatypes import STORED, product_datatype
from .fitsfile import HDU, UNIQUE_KEYWORDS, Header, card_value
from .keywords import Card, Keyword, lay_out, plan_cards, section_cards, table
from .nodes import Node, Scalar, at, flatten

#: Keyword and image of cards; the comment cards of a section have one image, and no keyword.
Cards = list[tuple[str, str]]

#: Keywords that describe the data of an HDU.
STRUCTURE = UNIQUE_KEYWORDS - {"EXTVER", "EXTLEVEL"}

#: Comments that astropy gives to cards that describe data.
COMMENTS = {
    "SIMPLE": "conforms to FITS standard",
    "XTENSION": "Image extension",
    "BITPIX": "array data type",
    "NAXIS": "number of array dimensions",
    "PCOUNT": "number of parameters",
    "GCOUNT": "number of groups",
    "EXTNAME": "extension name",
}

#: Keywords that are not reported when cards are left out.
UNREPORTED = frozenset({"", "COMMENT", "HISTORY", "CONTINUE", "EXTVER", "CHECKSUM", "DATASUM"})

#: Keywords of PRIMARY whose values belong to the product.
PRODUCT_KEYWORDS = ("DATE", "FILENAME", "DATAMODL", "EXP_TYPE", "ASNPOOL", "ASNTABLE")

#: Parts of an entry's metadata that belong to SCI headers and may come from the exposure.
FROM_EXPOSURE = tuple(
    f"meta.{part}." for part in ("coordinates", "aperture", "pointing", "velocity_aberration")
)

_NO_HEADER = Header(b"")


def primary_cards(
    meta: Node, header: Header, keep_unknown: bool
) -> dict[str, Sequence[Sequence[str]]]:
    """Plan a product's PRIMARY header, from metadata and PRIMARY header of its first exposure.

    Cards about the association are apart, as the product may have another one: ``before``,
    ``about_asn``, ``after``. ``comment`` has keywords that products set, and their comments;
    ``section`` the title of the cards about the association. Cards that the schema does not know
    are kept if `keep_unknown`.
    """
    keywords = [keyword for keyword in table().product if keyword.hdu == "PRIMARY"]
    cards: dict[str, Card] = {}
    for keyword in keywords:
        if card := _find_card(keyword, at(meta, keyword.path.removeprefix("meta.")), header):
            cards[keyword.path] = card
        elif keyword.name in ("DATE", "FILENAME", "DATAMODL"):
            cards[keyword.path] = b"".ljust(CARD)
    about = [n for n, keyword in enumerate(keywords) if keyword.path.startswith("meta.asn.")]
    first, end = about[0], about[-1] + 1
    parts = {"before": keywords[:first], "about_asn": keywords[first:end], "after": keywords[end:]}
    laid = {name: lay_out(part, cards).get("PRIMARY", []) for name, part in parts.items()}
    if keep_unknown:
        schema_keywords = {name for part in laid.values() for name, _ in part}
        laid = {name: _with_unknown(part, header, schema_keywords) for name, part in laid.items()}
    # There are no data to describe.
    structure: dict[str, Value] = {"SIMPLE": True, "BITPIX": 8, "NAXIS": 0, "EXTEND": True}
    laid["before"][:0] = _structure_cards(structure, header)
    return {
        **{name: _images(part, header) for name, part in laid.items()},
        "comment": [(k.name, k.comment) for k in keywords if k.name in PRODUCT_KEYWORDS],
        "section": [(section_cards(keywords[first].sections[-1]).decode("ascii"),)],
    }


def exposure_cards(meta: Node, primary: Header, sci: HDU | None, slit: Node) -> Cards:
    """Lay out the cards about the exposure in SCI of a product's first entry.

    They come from the exposure's metadata, PRIMARY and SCI,1, but for those of its first slit
    (`slit`), which replace the exposure's there.
    """
    scalars = flatten(slit)
    replaced = {word.name for word in table().entry if word.hdu == "SCI" and word.path in scalars}
    header = sci.header if sci else _NO_HEADER
    cards: dict[str, Card] = {}
    for keyword in table().product:
        source = _NO_HEADER if keyword.name in replaced else header
        source = primary if keyword.hdu == "PRIMARY" else source
        if card := _find_card(keyword, at(meta, keyword.path.removeprefix("meta.")), source):
            cards[keyword.path] = card
    return _images(lay_out(table().product, cards).get("SCI", []), header)


def plan_headers(
    meta: Mapping[str, Scalar], slit: Node, hdus: list[HDU], keep_unknown: bool
) -> list[tuple[HDU, Plan]]:
    """Plan the headers of one entry's HDUs; those with neither data nor cards are left out.

    `meta` has the scalars of the exposure's metadata by path; `slit` is without its WCS.
    """
    headers = {hdu.name: hdu.header for hdu in hdus}
    cards: dict[str, Card] = {}
    for keyword in table().entry:
        if keyword.hdu not in headers:
            continue
        scalar, header = at(slit, keyword.path), headers[keyword.hdu]
        if keyword.path.startswith(FROM_EXPOSURE) and (
            override := meta.get(keyword.path[len("meta.") :])
        ):
            scalar, header = override, _NO_HEADER
        if card := _find_card(keyword, scalar, header):
            cards[keyword.path] = card
    laid = lay_out(table().entry, cards)
    plans = []
    for hdu in hdus:
        if not hdu.shape and hdu.name not in laid:
            continue
        named = laid.get(hdu.name, [])
        if keep_unknown:
            schema_keywords = {name for name, _ in named} | {k.name for k in table().product}
            named = _with_unknown(named, hdu.header, schema_keywords)
        marks = CARDS_PLACEHOLDER + ENTRY_PLACEHOLDER if hdu.name == "SCI" else ENTRY_PLACEHOLDER
        named = [*_structure_cards(_structure(hdu), hdu.header), ("", marks.encode()), *named]
        plans.append((hdu, plan_cards([card for _, card in named], hdu.header)))
    return plans


def unknown_keywords(header: Header, schema_keywords: set[str]) -> set[str]:
    """Return the keywords of a header that products do not have, as no schema defines them."""
    return header.numbers.keys() - schema_keywords - STRUCTURE - UNREPORTED


def _with_unknown(
    cards: list[tuple[str, Card]], header: Header, schema_keywords: set[str]
) -> list[tuple[str, Card]]:
    """Insert cards that are not in the schema, each after the one that it follows in the header."""
    cards = list(cards)
    names = [name for name, _ in cards]
    last = -1
    for name, position in header.numbers.items():
        if name in schema_keywords:
            last = names.index(name) if name in names else -1
        elif last < 0 or name in STRUCTURE or name in UNREPORTED:
            continue
        elif is_card_text(header.cards(position).decode("latin-1")):
            last += 1
            names.insert(last, name)
            cards.insert(last, (name, position))
    return cards


def _structure(hdu: HDU) -> dict[str, Value]:
    """Return the keywords that describe the data of an image, in the order of astropy."""
    bits, zero = STORED[product_datatype(hdu) or "uint8"] if hdu.shape else STORED["uint8"]
    return {
        **{"XTENSION": "IMAGE", "BITPIX": bits, "NAXIS": len(hdu.shape)},
        **{f"NAXIS{n}": size for n, size in enumerate(reversed(hdu.shape), 1)},
        **{"PCOUNT": 0, "GCOUNT": 1},
        **({"BSCALE": 1, "BZERO": zero} if zero else {}),
        "EXTNAME": hdu.name,
    }


def _structure_cards(structure: Mapping[str, Value], header: Header) -> list[tuple[str, Card]]:
    """Return cards that describe data: the header's if it states the value, or new ones."""
    return [
        (name, _own_card(name, value, header) or format_card(name, value, COMMENTS.get(name, "")))
        for name, value in structure.items()
    ]


def _own_card(name: str, value: Value, header: Header) -> Card | None:
    """Return the position of a keyword's card in a header if it states this value."""
    position = header.numbers.get(name)
    return position if position and card_has_value(header.cards(position), value) else None


def _find_card(keyword: Keyword, scalar: Node | None, header: Header) -> Card | None:
    """Return the card of a scalar: the header's, or a new one; None if the tree has no scalar.

    The tree's values are used, as in stdatamodels; values of edited headers are already in it.
    """
    if not isinstance(scalar, Scalar) or (value := scalar.value()) is None:
        return None
    try:
        return _own_card(keyword.name, value, header) or format_card(
            keyword.name, value, keyword.comment
        )
    except (ValueError, TypeError):
        # A string that no FITS card can hold is only in the tree.
        return None


@lru_cache(maxsize=1 << 14, typed=True)
def card_has_value(image: bytes, value: Value) -> bool:
    """Compare a card with a value, to the precision of its digits: astropy once wrote 16 of them.

    Invalid values of a card equal nothing, nor does a card that products cannot have.
    """
    if not is_card_text(image.decode("latin-1")):
        return False
    try:
        stated = card_value(image)
    except ValueError:
        return False
    if isinstance(stated, float) and isinstance(value, float):
        return math.isclose(stated, value, rel_tol=1e-13)
    if isinstance(stated, str) and isinstance(value, str):
        return stated == value.rstrip()
    return stated == value and type(stated) is type(value)


def _images(cards: list[tuple[str, Card]], header: Header) -> Cards:
    """Return keywords and images of cards; the comment cards of a section are one string."""
    return [
        (name, (header.cards(card) if isinstance(card, tuple) else card).decode("ascii"))
        for name, card in cards
    ]
