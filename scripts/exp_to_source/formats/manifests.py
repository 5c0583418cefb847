"""Manifests: what the gather of one product depends on, and nothing else.

A manifest is written only if its content changes, so its time shows that its product is outdated.
"""

from __future__ import annotations

from .. import FORMAT, TYPE_CHECKING
from ..errors import InputError
from .rows import get_all, get_one, read_checked, with_checksum

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Manifest:
    """What a product is made of."""

    # A plain class, as no gather imports typing or dataclasses.
    def __init__(
        self,
        product: str,  #: its name, without ``_cal``
        association: dict[str, str],  #: its ``pool_name`` and ``table_name``, if it has one
        slits: list[tuple[str, str]],  #: exposure's name and digest of each slit, in order
        joined: list[str],  #: names of the products of its slits, had the user not joined them
    ) -> None:
        self.product = product
        self.association = association
        self.slits = slits
        self.joined = joined


def encode_manifest(
    product: str,
    association: Mapping[str, str] | None,
    slits: Iterable[tuple[str, str]],
    joined: Iterable[str] = (),
) -> bytes:
    """Encode a manifest; parameters are the attributes of `Manifest`."""
    return with_checksum(
        [
            ("format", str(FORMAT)),
            ("product", product),
            *(("association", key, value) for key, value in (association or {}).items()),
            *(("slit", exposure, digest) for exposure, digest in slits),
            *(("joined", name) for name in joined),
        ]
    )


def read_manifest(path: str) -> Manifest:
    """Read a manifest; one that is damaged or of another version is an `InputError`."""
    with open(path, "rb") as file:
        rows = read_checked(file)
        more = file.read(1)
    if rows is None or more or get_one(rows, "format") != str(FORMAT):
        raise InputError(
            f"{path}: not a manifest of this version, or damaged; delete the file and run again"
        )
    return Manifest(
        get_one(rows, "product"),
        dict(get_all(rows, "association")),
        [(exposure, digest) for exposure, digest in get_all(rows, "slit")],
        [name for (name,) in get_all(rows, "joined")],
    )
