"""Level 3 associations: which exposures make up a product, and how it is called.

Format: jwst documentation, "Associations"; only the first product counts, as in calwebb_spec3.
"""

import json
import os
from typing import NamedTuple

from .errors import InputError
from .naming import fill_template, parse_product_name


class Association(NamedTuple):
    """What an association says that matters for regrouping.

    Attributes
    ----------
    path : str
        The association's file.
    template : str
        Template of its products' names.
    science, background : list of str
        Exposures, relative to the working directory.
    pool : str or None
        Name of the pool it was made from.
    """

    path: str
    template: str
    science: list[str]
    background: list[str]
    pool: str | None


def read_association(path: str) -> Association:
    """Read an association.

    Raises
    ------
    InputError
        If it is not a level 3 spectroscopic association with science members.
    """
    check_path(path)
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such association; mend `associations` or bring it back")
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except (ValueError, RecursionError):
        raise InputError(
            f"{path}: not a JSON file; an association (*_asn.json) is needed"
        ) from None
    kind = content.get("asn_type") if isinstance(content, dict) else None
    if kind != "spec3":
        what = f"an association of type {kind!r}" if kind else "not an association"
        raise InputError(f"{path}: {what}; associations of type 'spec3' are needed")
    products = content.get("products")
    if not (isinstance(products, list) and products and isinstance(products[0], dict)):
        raise InputError(f"{path}: has no products; make the association again")
    template, members = products[0].get("name"), products[0].get("members")
    if not isinstance(template, str) or not isinstance(members, list):
        raise InputError(f"{path}: its product has no name or no members; make it again")
    _check_template(path, template)
    found: dict[str, list[str]] = {"science": [], "background": []}
    for member in members:
        if not (isinstance(member, dict) and isinstance(member.get("expname"), str)):
            raise InputError(f"{path}: a member has no expname; make the association again")
        role = str(member.get("exptype")).lower()
        if role in found:
            found[role].append(os.path.join(os.path.dirname(path), member["expname"]))
    if not found["science"]:
        raise InputError(f"{path}: has no science members; there is nothing to regroup")
    for number, member in enumerate(found["science"]):
        if member in found["science"][:number]:
            raise InputError(f"{path}: names {member!r} twice; leave one out")
        if not os.path.isfile(member):
            raise InputError(f"{path}: its member {member!r} is no file; bring it back or mend it")
    pool = content.get("asn_pool")
    known = isinstance(pool, str) and pool.isprintable()
    return Association(path, template, **found, pool=pool if known else None)


def check_path(path: str) -> None:
    """Refuse paths that have no place in lists of one path a line, or look like wildcards."""
    if not path.isprintable() or "{" in path or "}" in path:
        raise InputError(
            f"{path!r}: braces, and what is not printable, cannot be part of paths; "
            "rename it, or reach it by another way"
        )


def _check_template(path: str, template: str) -> None:
    """Refuse templates that do not lead to names of source-based products."""
    try:
        example = fill_template(template, "s00001", ["s200a1"])
    except ValueError:
        example = ""
    if not parse_product_name(example):
        raise InputError(
            f"{path}: its product's name {template!r} does not follow "
            "jw<program>-<candidate>_<target or {source_id}>_<instrument>_<elements>; rename it"
        )
