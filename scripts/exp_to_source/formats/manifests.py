"""Manifests: what the gather of one product depends on, and nothing else.

A manifest is written only if its content changes, so its time shows that its product is outdated.
"""

from __future__ import annotations

from .. import FORMAT, TYPE_CHECKING
from ..errors import InputError
from .checksums import read_checked, with_checksum
from .rows import get_all, get_one

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Manifest:
    """What a product is made of.

    Attributes
    ----------
    product : str
        Its name, without ``_cal``.
    association : dict
        ``pool_name`` and ``table_name`` of its association; empty if it has none.
    slits : list of (str, str)
        Name of the exposure and digest of each of its slits, in order.
    joined : list of str
        Names of the products that its slits would be in, had the user not joined them.
    """

    # A plain class, as no gather imports typing or dataclasses.
    def __init__(
        self,
        product: str,
        association: dict[str, str],
        slits: list[tuple[str, str]],
        joined: list[str],
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
    """Read a manifest.

    Raises
    ------
    InputError
        If it is not a manifest, or has another version.
    """
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
