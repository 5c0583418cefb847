"""Level 3 associations: the exposures of a product, and its name.

Format: jwst documentation, "Associations"; only the first product is used, as in calwebb_spec3.
After jwst 3.0.0, associations of WFSS name the spectra of exposures (``_x1d``), which have the
same sources as the ``_cal`` from which they were extracted.
"""

import json
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..errors import InputError
from ..naming import check_path, fill_template, is_product_name
from ..results import CAL, MBSUB


class Association(NamedTuple):
    """Content of an association that matters for regrouping.

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
    remarks : tuple of str
        Deviations from the association, in a sentence each.
    """

    path: str
    template: str
    science: list[str]
    background: list[str]
    pool: str | None
    remarks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the association: that of its file."""
        return os.path.basename(self.path).removesuffix(".json")

    @property
    def members(self) -> list[str]:
        """Exposures, and then spectra of the background."""
        return [*self.science, *self.background]


def read_association(path: str) -> Association:
    """Read an association.

    Raises
    ------
    InputError
        If it is not a level 3 spectroscopic association with science members.
    """
    check_path(path)
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such association; correct `associations` or bring it back")
    try:
        with open(path, encoding="utf-8-sig") as file:
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
    found = _members(path, members)
    given = found["science"]
    if not given:
        raise InputError(f"{path}: has no science members; there is nothing to regroup")
    taken = [_member_file(path, member) for member in given]
    for number, member in enumerate(taken):
        if member in taken[:number]:
            raise InputError(f"{path}: names {member!r} twice; leave one out")
    pool = content.get("asn_pool")
    known = isinstance(pool, str) and pool.isprintable()
    return Association(
        path,
        template,
        taken,
        found["background"],
        pool if known else None,
        (*_replaced(path, given, taken), *_left_out(path, products[1:])),
    )


def _members(path: str, members: list[Any]) -> dict[str, list[str]]:
    """Science and background members, relative to the working directory."""
    found: dict[str, list[str]] = {"science": [], "background": []}
    for member in members:
        if not (isinstance(member, dict) and isinstance(member.get("expname"), str)):
            raise InputError(f"{path}: a member has no expname; make the association again")
        role = str(member.get("exptype")).lower()
        if role in found:
            found[role].append(os.path.join(os.path.dirname(path), member["expname"]))
    return found


def _member_file(path: str, member: str) -> str:
    """File of a member: a spectrum's exposure; an exposure, or what it was renamed to."""
    stem, suffix, _ = member.rpartition("_x1d.fits")
    exposure = f"{stem}{CAL}" if suffix else member
    stem, suffix, _ = exposure.rpartition(CAL)
    subtracted = [f"{stem}{MBSUB}"] if suffix else []
    for file in (exposure, *subtracted):
        if os.path.isfile(file):
            return file
    if exposure != member:
        raise InputError(
            f"{path}: its member {member!r} is a spectrum, and its exposure {exposure!r} is no "
            "file; put it there, or correct the association"
        )
    raise InputError(f"{path}: its member {member!r} is no file; bring it back or correct it")


def _replaced(path: str, given: list[str], taken: list[str]) -> Iterator[str]:
    """Say how many members were replaced by other files, by suffix."""
    suffixes = [
        tuple(file.removesuffix(".fits").rpartition("_")[2] for file in pair)
        for pair in zip(given, taken, strict=True)
        if pair[0] != pair[1]
    ]
    for old, new in dict.fromkeys(suffixes):
        yield (
            f"{path}: {suffixes.count((old, new))} of its {len(given)} members are called _{old}; "
            f"the _{new} beside each is regrouped"
        )


def _left_out(path: str, products: list[Any]) -> Iterator[str]:
    """Name the products that are not made."""
    if products:
        names = [product.get("name") if isinstance(product, dict) else None for product in products]
        yield (
            f"{path}: only its first product is made, as in calwebb_spec3; left out: "
            f"{', '.join(map(repr, names))}; give each an association of its own"
        )


def _check_template(path: str, template: str) -> None:
    """Refuse templates that do not give names of files."""
    if not is_product_name(fill_template(template, "s00001", ["s200a1"])):
        raise InputError(
            f"{path}: its product's name {template!r} may have letters, digits and _ . + - only, "
            "and {source_id} and {slit_name}; rename it"
        )
