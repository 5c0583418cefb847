"""Heads of slits in an index: what the source list needs of each, and gathering does not."""

import json
from collections.abc import Iterator
from itertools import starmap
from typing import NamedTuple

from .indices import IndexReader


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


def read_heads(index: IndexReader) -> Iterator[Head]:
    """Read the heads of an index, in the order of its slits."""
    # One call is three times as fast as one for each line.
    lines = index.part("heads").splitlines()
    return starmap(Head, json.loads(b"[" + b",".join(lines) + b"]"))
