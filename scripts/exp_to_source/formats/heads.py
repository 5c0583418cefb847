"""Heads of slits in an index: what the source list needs of each, and gathering does not."""

from collections.abc import Iterator
from typing import NamedTuple

from .indices import IndexReader
from .rows import read_rows


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
    shape : tuple of int
        Rows and columns of its first plane.
    wavelengths : tuple of float
        Shortest and longest wavelength (µm); empty if they are not known.
    """

    digest: str
    source_id: int | None
    source_name: str
    slit_name: str
    exposure_type: str
    planes: int
    size: int
    shape: tuple[int, ...]
    wavelengths: tuple[float, ...]


def read_heads(index: IndexReader) -> Iterator[Head]:
    """Read the heads of an index, in the order of its slits."""
    for digest, source_id, source_name, slit_name, kind, *numbers in read_rows(index.part("heads")):
        planes, size, shape, wavelengths = numbers
        yield Head(
            digest,
            int(source_id) if source_id else None,
            source_name,
            slit_name,
            kind,
            int(planes),
            int(size),
            tuple(map(int, shape.split())),
            tuple(map(float, wavelengths.split())),
        )


def head_row(head: Head) -> list[str]:
    """Row of an index."""
    *names, planes, size, shape, wavelengths = head
    return [
        *("" if name is None else str(name) for name in names),
        *(str(planes), str(size)),
        *(" ".join(map(str, numbers)) for numbers in (shape, wavelengths)),
    ]
