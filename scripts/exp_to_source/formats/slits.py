"""A slit in an index: a head for the source list, a record for gathering."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .cards import Plan
from .fragments import SHARED_MARK, Edit


class Head(NamedTuple):
    """Properties of a slit that the source list needs.

    Attributes
    ----------
    digest : str
        Digest of everything of the slit that goes into a product.
    source_id : int or None
        SOURCEID.
    source_name, slit_name : str
        SRCNAME and SLTNAME.
    exposure_type : str
        EXP_TYPE of the slit, or otherwise of its exposure.
    planes, size : int
        Number of its planes, and their bytes.
    shape : list of int
        Rows and columns of its first plane.
    wavelengths : list of float or None
        Shortest and longest wavelength (µm).
    """

    digest: str
    source_id: int | None
    source_name: str
    slit_name: str
    exposure_type: str
    planes: int
    size: int
    shape: list[int]
    wavelengths: list[float] | None


class Plane(NamedTuple):
    """Offsets of an HDU of a slit in the exposure, in bytes, and the plan of its new header."""

    start: int
    header_size: int
    data_size: int
    plan: Plan


class Text(NamedTuple):
    """Position of the YAML of a slit, in the index or in the exposure, in bytes."""

    kept: bool
    start: int
    size: int


class Record(NamedTuple):
    """Properties of a slit that gathering needs.

    Attributes
    ----------
    planes : list of Plane
        Its HDUs, in the order of the schema.
    text : Text
        Its part of the exposure's tree.
    edits : list of Edit
        Edits that make a fragment of that text.
    blocks : list of (int, int)
        Start and size of its internal blocks, in bytes.
    own : list of str
        Keys of metadata that are the slit's own, not the exposure's.
    asn : dict or None
        Metadata about its association, as YAML.
    type : str or None
        Its exposure type, if the slit has its own.
    """

    planes: list[Plane]
    text: Text
    edits: list[Edit]
    blocks: list[tuple[int, int]]
    own: list[str]
    asn: dict[str, str] | None
    type: str | None

    @classmethod
    def of_json(cls, data: bytes) -> "Record":
        """Record from a line of an index."""
        planes, text, *rest = json.loads(data)
        return cls([Plane(*plane) for plane in planes], Text(*text), *rest)

    def with_texts(self, change: Callable[[str], str]) -> "Record":
        """Copy of the record, with a function applied to each text that may be shared."""
        planes = [
            plane._replace(plan=[change(x) if isinstance(x, str) else x for x in plane.plan])
            for plane in self.planes
        ]
        edits = [(place, length, change(text)) for place, length, text in self.edits]
        return self._replace(planes=planes, edits=edits)


def shorten(text: str, shared: Mapping[str, int]) -> str:
    """Replace a shared text by a mark with its number."""
    return f"{SHARED_MARK}{shared[text]}" if text in shared else text


def lengthen(text: str, shared: Sequence[str]) -> str:
    """Return the text that a mark stands for."""
    return shared[int(text[1:])] if text.startswith(SHARED_MARK) else text
