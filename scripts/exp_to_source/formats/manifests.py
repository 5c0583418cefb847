"""Manifests: what the gather of one product depends on, and nothing else.

A manifest is written only if its content changes, so its time shows that its product is outdated.
"""

from __future__ import annotations

import hashlib
from io import BytesIO

from .. import FORMAT, TYPE_CHECKING
from ..errors import InputError
from .rows import read_checked, with_checksum

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
        digest: str,  #: as the source list has it
    ) -> None:
        self.product = product
        self.association = association
        self.slits = slits
        self.joined = joined
        self.digest = digest


def digest_manifest(content: bytes) -> str:
    """Compute the digest of the content of a manifest, for the source list."""
    return hashlib.sha256(content).hexdigest()[:16]


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
        content = file.read()
    stream = BytesIO(content)
    rows = read_checked(stream)
    if rows is None or stream.read(1) or rows.one("format") != str(FORMAT):
        raise InputError(
            f"{path}: not a manifest of this version, or damaged; delete the file and run again"
        )
    return Manifest(
        rows.one("product"),
        dict(rows["association"]),
        [(exposure, digest) for exposure, digest in rows["slit"]],
        [name for (name,) in rows["joined"]],
        digest_manifest(content),
    )
