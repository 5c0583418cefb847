"""The headers of products, planned from those of an exposure.

stdatamodels writes headers from its schema: in the schema's order, one card for each leaf of the
tree. Card images are copied from the input if it has them.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from ..formats.cards import CARD, Plan, Value, format_card, is_card_text
from ..formats.template import CARDS_PLACEHOLDER, ENTRY_PLACEHOLDER
from .card_values import card_value
from .fitsfile import HDU, Header
from .keywords import Keyword, Place, compress, lay_out, section_cards, table
from .nodes import Leaf, Node, at, leaves
from .planes import STORED, product_datatype

#: Keyword and image of cards; the comment cards of a section have one image, and no keyword.
Cards = list[tuple[str, str]]

#: Keywords that describe the data of an HDU.
STRUCTURE = frozenset(
    (
        *("SIMPLE", "XTENSION", "BITPIX", "NAXIS", "EXTEND", "PCOUNT", "GCOUNT", "GROUPS"),
        *("BSCALE", "BZERO", "BLANK", "EXTNAME"),
    )
) | {f"NAXIS{n}" for n in range(1, 1000)}

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
SILENT = frozenset({"", "COMMENT", "HISTORY", "CONTINUE", "EXTVER", "CHECKSUM", "DATASUM"})

#: Keywords of PRIMARY whose values belong to the product.
PRODUCT_KEYWORDS = ("DATE", "FILENAME", "DATAMODL", "EXP_TYPE", "ASNPOOL", "ASNTABLE")

#: Parts of an entry's metadata that belong to SCI headers and may come from the exposure.
FROM_EXPOSURE = (
    "meta.coordinates.",
    "meta.aperture.",
    "meta.pointing.",
    "meta.velocity_aberration.",
)


class PrimaryCards(NamedTuple):
    """Cards of a product's PRIMARY header, as keyword and image.

    Attributes
    ----------
    before, about_asn, after : Cards
        In this order; those about the association are apart, as the product may have another one.
    section : str
        Title of the cards about the association.
    comments : dict of str
        Keywords that products set, and their comments.
    """

    before: Cards
    about_asn: Cards
    after: Cards
    section: str
    comments: dict[str, str]


def primary_cards(meta: Node, header: Header, keep_unknown: bool) -> PrimaryCards:
    """Cards of a product's PRIMARY header, from those of its first exposure.

    Parameters
    ----------
    meta : Node
        The exposure's metadata.
    header : Header
        Its PRIMARY header.
    keep_unknown : bool
        Whether to keep cards that the schema does not know.
    """
    present = {
        word.path: place
        for word in table().product
        if word.hdu == "PRIMARY" and (place := _place(word, _leaf(meta, word), header))
    }
    words = [word for word in table().product if word.hdu == "PRIMARY"]
    for word in words:
        if word.name in ("DATE", "FILENAME", "DATAMODL"):
            present.setdefault(word.path, b"".ljust(CARD))
    about = [number for number, word in enumerate(words) if word.path.startswith("meta.asn.")]
    parts = {
        "before": words[: about[0]],
        "about_asn": words[about[0] : about[-1] + 1],
        "after": words[about[-1] + 1 :],
    }
    laid = {name: lay_out(part, present).get("PRIMARY", []) for name, part in parts.items()}
    if keep_unknown:
        known = {word for part in laid.values() for word, _ in part}
        laid = {name: _with_unknown(part, header, known) for name, part in laid.items()}
    cards = {name: _images(part, header) for name, part in laid.items()}
    # There are no data to describe.
    structure = {"SIMPLE": True, "BITPIX": 8, "NAXIS": 0, "EXTEND": True}
    described = [(word, _described(word, value, header)) for word, value in structure.items()]
    return PrimaryCards(
        before=_images(described, header) + cards["before"],
        about_asn=cards["about_asn"],
        after=cards["after"],
        section=section_cards(words[about[0]].sections[-1]).decode("ascii"),
        comments={word.name: word.comment for word in words if word.name in PRODUCT_KEYWORDS},
    )


def exposure_cards(meta: Node, primary: Header, sci: HDU | None, slit: Node) -> Cards:
    """Cards about the exposure in SCI of a product's first entry.

    Parameters
    ----------
    meta : Node
        The exposure's metadata.
    primary : Header
        Its PRIMARY header.
    sci : HDU or None
        Its SCI,1, which contains such cards.
    slit : Node
        Its first slit, some of whose cards replace the exposure's there.
    """
    of_slit = leaves(slit)
    taken = {word.name for word in table().entry if word.hdu == "SCI" and word.path in of_slit}
    header = sci.header if sci else Header(b"")
    present: dict[str, Place] = {}
    for word in table().product:
        own = Header(b"") if word.name in taken else header
        source = primary if word.hdu == "PRIMARY" else own
        if place := _place(word, _leaf(meta, word), source):
            present[word.path] = place
    return _images(lay_out(table().product, present).get("SCI", []), header)


def plane_plans(
    meta: Mapping[str, Leaf], slit: Node, planes: list[HDU], keep_unknown: bool
) -> list[tuple[HDU, Plan]]:
    """Plan the headers of one entry's planes.

    Parameters
    ----------
    meta : mapping
        Leaves of the exposure's metadata by path.
    slit : Node
        The slit, without its WCS.
    planes : list of HDU
        Its planes.
    keep_unknown : bool
        Whether to keep cards that the schema does not know.

    Returns
    -------
    list of (HDU, Plan)
        Planes and plans. HDUs with neither data nor cards of the schema are left out.
    """
    headers = {hdu.name: hdu.header for hdu in planes}
    own = leaves(slit)
    present: dict[str, Place] = {}
    for word in table().entry:
        if word.hdu not in headers:
            continue
        leaf, header = own.get(word.path), headers[word.hdu]
        if word.path.startswith(FROM_EXPOSURE) and (over := meta.get(word.path[len("meta.") :])):
            leaf, header = over, Header(b"")
        if place := _place(word, leaf, header):
            present[word.path] = place
    laid = lay_out(table().entry, present)
    plans = []
    for hdu in planes:
        if not hdu.shape and hdu.name not in laid:
            continue
        places = [_described(*item, hdu.header) for item in _structure(hdu).items()]
        places += [CARDS_PLACEHOLDER.encode()] if hdu.name == "SCI" else []
        places.append(ENTRY_PLACEHOLDER.encode())
        cards = laid.get(hdu.name, [])
        if keep_unknown:
            known = {word for word, _ in cards} | {word.name for word in table().product}
            cards = _with_unknown(cards, hdu.header, known)
        places += [place for _, place in cards]
        plans.append((hdu, compress(places, hdu.header)))
    return plans


def left_out(header: Header, kept: set[str]) -> set[str]:
    """Keywords of a header that products do not have, as no schema defines them."""
    return header.numbers.keys() - kept - STRUCTURE - SILENT


def _with_unknown(
    cards: list[tuple[str, Place]], header: Header, known: set[str]
) -> list[tuple[str, Place]]:
    """Insert cards of a header that are not known, each after the card that it follows there."""
    cards = list(cards)
    words = [word for word, _ in cards]
    place = -1
    for word, position in header.numbers.items():
        if word in known:
            place = words.index(word) if word in words else -1
        elif place < 0 or word in STRUCTURE or word in SILENT:
            continue
        elif is_card_text(header.cards(position).decode("latin-1")):
            place += 1
            words.insert(place, word)
            cards.insert(place, (word, position))
    return cards


def _structure(hdu: HDU) -> dict[str, Value]:
    """Return the keywords that describe the data of a plane, in the order of astropy."""
    bits, zero = STORED[product_datatype(hdu) or "uint8"] if hdu.shape else STORED["uint8"]
    axes = {f"NAXIS{n}": size for n, size in enumerate(reversed(hdu.shape), 1)}
    scale = {"BSCALE": 1, "BZERO": zero} if zero else {}
    return {
        **{"XTENSION": "IMAGE", "BITPIX": bits, "NAXIS": len(axes)},
        **axes,
        **{"PCOUNT": 0, "GCOUNT": 1},
        **scale,
        "EXTNAME": hdu.name,
    }


def _described(keyword: str, value: Value, header: Header) -> Place:
    """Return the card that describes data: the header's if it states the value, or a new one."""
    place = header.numbers.get(keyword)
    if place and states(header.cards(place), value):
        return place
    return format_card(keyword, value, COMMENTS.get(keyword, ""))


def _leaf(meta: Node, word: Keyword) -> Node | None:
    return at(meta, word.path.removeprefix("meta."))


def _place(word: Keyword, leaf: Node | None, header: Header) -> Place | None:
    """Card of a leaf: its position in the header, or a new one; None if the tree has no leaf.

    The tree's values are used, as in stdatamodels; values of edited headers are already in it.
    """
    if not isinstance(leaf, Leaf) or (value := leaf.value()) is None:
        return None
    if (place := header.numbers.get(word.name)) and states(header.cards(place), value):
        return place
    try:
        return format_card(word.name, value, word.comment)
    except (ValueError, TypeError):
        # A string that no FITS card can hold is only in the tree.
        return None


@lru_cache(maxsize=1 << 14, typed=True)
def states(image: bytes, value: Value) -> bool:
    """Whether a card has a value, to the precision of its digits: astropy once wrote 16 of them.

    Invalid values of a card state nothing, nor does a card that products cannot have.
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


def _images(cards: list[tuple[str, Place]], header: Header) -> Cards:
    """Keyword and image of cards; the comment cards of a section are one string."""
    images = []
    for word, place in cards:
        if isinstance(place, tuple):
            place = header.cards(place)
        images.append((word, place.decode("ascii")))
    return images
