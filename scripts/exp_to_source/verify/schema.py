"""Keywords of data models: in edited headers, and cards against values of a tree."""

import math
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

from asdf.exceptions import ValidationError
from asdf.schema import validate
from astropy.io import fits

from .asdf_reader import HduReference, get_node
from .fits_reader import Contents

EXPOSURE_MODEL, PRODUCT_MODEL = "MultiSlitModel", "MultiExposureModel"


class SchemaKeyword(NamedTuple):
    """Leaf of a schema that has a keyword."""

    path: str
    name: str
    hdu: str
    schema: dict[str, Any]


class Schema(NamedTuple):
    """Keywords of a data model, those of an item of its list of slits, and arrays of an item."""

    top: list[SchemaKeyword]
    item: list[SchemaKeyword]
    #: Key, HDU and datatype of each.
    arrays: list[tuple[str, str, str]]


@cache
def read_schema(model: str) -> Schema:
    """Read the schema of a data model of stdatamodels."""
    from stdatamodels import schema
    from stdatamodels.jwst import datamodels

    found = Schema([], [], [])
    keywords = (found.top, found.item)

    def visit(part: dict[str, Any], path: list[str], *_: Any) -> None:
        is_item = path[1:2] == ["items"]
        if "fits_keyword" in part:
            hdu, keys = part.get("fits_hdu", "PRIMARY"), path[2:] if is_item else path
            keyword = SchemaKeyword(".".join(map(str, keys)), part["fits_keyword"], hdu, part)
            keywords[is_item].append(keyword)
        if is_item and "fits_hdu" in part and isinstance(part.get("datatype"), str):
            found.arrays.append((path[-1], part["fits_hdu"], part["datatype"]))

    with getattr(datamodels, model)() as empty:
        schema.walk_schema(empty.schema, visit)
    return found


def apply_headers(tree: dict[str, Any], contents: Contents) -> dict[str, Any]:
    """Put the values of the headers into a tree, as data models do if headers were edited."""
    headers = {HduReference(hdu.name, hdu.version): hdu.header for hdu in contents.hdus}
    schema = read_schema(EXPOSURE_MODEL)

    def update(node: dict[str, Any], keywords: list[SchemaKeyword], version: int) -> dict[str, Any]:
        for keyword in keywords:
            hdu = HduReference(keyword.hdu, 1 if keyword.hdu == "PRIMARY" else version)
            # A card that astropy cannot read counts as little as a value that is not valid.
            with suppress(fits.VerifyError, ValidationError):
                value = headers.get(hdu, {}).get(keyword.name)
                if isinstance(value, str | int | float):
                    validate(value, schema=keyword.schema)
                    node = _replace_node(node, keyword.path, value)
        return node

    slits = [update(slit, schema.item, number) for number, slit in enumerate(tree["slits"], 1)]
    return update(tree, schema.top, 1) | {"slits": slits}


def _replace_node(node: Any, path: str, value: Any) -> dict[str, Any]:
    """Return a copy of a tree with another value at a path."""
    key, _, remaining = path.partition(".")
    tree: dict[str, Any] = node if isinstance(node, dict) else {}
    if remaining:
        value = _replace_node(tree.get(key), remaining, value)
    return tree | {key: value}


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
            input_image, input_value = inputs.get(word, ""), None
            # Without a card, or with one that astropy cannot read, there is no value.
            with suppress(fits.VerifyError):
                input_value = fits.Card.fromstring(input_image).value if input_image else None
            # A value of a type that the schema does not accept may equal the tree's: T and 1.
            rewritten = type(input_value) is not type(value) or not _equals(input_value, value)
            # Products have no such card; a comment may be the reason.
            rewritten |= not (input_image.isascii() and input_image.isprintable())
            if not (any(_equals(value, leaf) for leaf in values[word]) and (same or rewritten)):
                yield word
        elif not same:
            yield word
    for word, leaves in values.items():
        if word not in cards and any(map(_fits_in_card, leaves)):
            yield word


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
