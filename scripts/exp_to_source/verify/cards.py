"""Compare cards of a header with those of another and with the values of a tree."""

import math
from collections.abc import Iterator
from typing import Any

from astropy.io import fits

from .asdf_reader import get_node
from .schema import SchemaKeyword


def card_values(keywords: list[SchemaKeyword], tree: Any, hdu: str) -> dict[str, list[Any]]:
    """Get the values of a tree for the keywords of an HDU."""
    values: dict[str, list[Any]] = {}
    for keyword in keywords:
        if keyword.hdu == hdu:
            values.setdefault(keyword.name, []).append(get_node(tree, keyword.path))
    return values


def find_wrong_cards(
    cards: dict[str, str], inputs: dict[str, str], values: dict[str, list[Any]]
) -> Iterator[str]:
    """Find keywords of a product whose card is neither the input's nor new from its tree."""
    for word, image in cards.items():
        same = inputs.get(word) == image
        # A keyword that the tree has elsewhere, as of a newer schema, is as unknown as any other.
        if word in values and any(leaf is not None for leaf in values[word]):
            value = fits.Card.fromstring(image).value
            input_value = _parse_value(inputs[word]) if word in inputs else None
            # A value of a type that the schema does not accept may equal the tree's: T and 1.
            rewritten = type(input_value) is not type(value) or not _equals(input_value, value)
            # Products have no such card; a comment may be the reason.
            input_image = inputs.get(word, "")
            rewritten |= not (input_image.isascii() and input_image.isprintable())
            if not (any(_equals(value, leaf) for leaf in values[word]) and (same or rewritten)):
                yield word
        elif not same:
            yield word
    for word, leaves in values.items():
        if word not in cards and any(map(_fits_in_card, leaves)):
            yield word


def _parse_value(image: str) -> Any:
    """Parse the value of a card; None if astropy cannot read it."""
    try:
        return fits.Card.fromstring(image).value
    except fits.VerifyError:
        return None


def _fits_in_card(value: Any) -> bool:
    """Whether FITS can hold a leaf of a tree; other leaves are only in the tree."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return False
    text = str(value)
    return text.isascii() and text.isprintable()


def _equals(card: Any, leaf: Any) -> bool:
    """Whether a card and a leaf of a tree, which may have more digits, have the same value."""
    if isinstance(card, float) and isinstance(leaf, int | float):
        return math.isclose(card, leaf, rel_tol=1e-12)
    if isinstance(card, str):
        return leaf is not None and card.rstrip() == str(leaf).rstrip()
    return bool(card == leaf)
