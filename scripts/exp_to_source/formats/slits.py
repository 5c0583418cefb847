"""What an index has of a slit: a head for the source list, a record for gathering."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .cards import Plan
from .fragments import SHARED_MARK, Edit


class Head(NamedTuple):
    """What the source list needs of a slit.

    Attributes
    ----------
    digest : str
        Of everything of the slit that reaches a product.
    source_id : int or None
        SOURCEID.
    source_name, slit_name : str
        SRCNAME and SLTNAME.
    exposure_type : str
        EXP_TYPE of the slit, or of its exposure.
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
    """Where an HDU of a slit is in the exposure, in bytes, and how its header is made anew."""

    start: int
    header_size: int
    data_size: int
    plan: Plan


class Text(NamedTuple):
    """Where the YAML of a slit is: kept in the index, or in the exposure; in bytes."""

    kept: bool
    start: int
    size: int


class Record(NamedTuple):
    """What gathering needs of a slit.

    Attributes
    ----------
    planes : list of Plane
        Its HDUs, in the order of the schema.
    text : Text
        Its part of the exposure's tree.
    edits : list of Edit
        What makes a fragment of that text.
    blocks : list of (int, int)
        Start and size of its internal blocks, in bytes.
    own : list of str
        Keys of metadata that it has itself, and does not take from the exposure.
    asn : dict or None
        What it says of its association, as YAML.
    type : str or None
        Its exposure type, where it has one of its own.
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
        """Record of a line of an index."""
        planes, text, *rest = json.loads(data)
        return cls([Plane(*plane) for plane in planes], Text(*text), *rest)

    def with_texts(self, change: Callable[[str], str]) -> "Record":
        """Copy of the record, each text that may be shared changed by a function."""
        planes = [
            plane._replace(plan=[change(x) if isinstance(x, str) else x for x in plane.plan])
            for plane in self.planes
        ]
        edits = [(place, length, change(text)) for place, length, text in self.edits]
        return self._replace(planes=planes, edits=edits)


def shorten(text: str, shared: Mapping[str, int]) -> str:
    """Mark with a number in place of a text that is shared."""
    return f"{SHARED_MARK}{shared[text]}" if text in shared else text


def lengthen(text: str, shared: Sequence[str]) -> str:
    """Text that a mark stands for."""
    return shared[int(text[1:])] if text.startswith(SHARED_MARK) else text
