"""Keywords and arrays of data models, and edited headers, for verification."""

from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

from asdf.exceptions import ValidationError
from asdf.schema import validate
from astropy.io.fits import VerifyError

from .asdf_reader import HduReference
from .fits_reader import Contents

EXPOSURE_MODEL, PRODUCT_MODEL = "MultiSlitModel", "MultiExposureModel"


class SchemaKeyword(NamedTuple):
    """Leaf of a schema that has a keyword."""

    path: str
    name: str
    hdu: str
    schema: dict[str, Any]


class SchemaArray(NamedTuple):
    """Array of a slit that the schema keeps in an HDU."""

    key: str
    hdu: str
    datatype: str


class Schema(NamedTuple):
    """Keywords of a data model, those of an item of its list of slits, and arrays of an item."""

    top: list[SchemaKeyword]
    item: list[SchemaKeyword]
    arrays: list[SchemaArray]


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
            found.arrays.append(SchemaArray(path[-1], part["fits_hdu"], part["datatype"]))

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
            with suppress(VerifyError, ValidationError):
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
