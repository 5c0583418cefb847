"""Heads of slits in an index: what the source list needs of each, and gathering does not."""

from collections.abc import Iterator
from typing import NamedTuple

from .indices import IndexReader
from .rows import decode_rows


class SlitSummary(NamedTuple):
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
    position : str
        Right ascension and declination of its source (degrees), between blanks; empty if they are
        not known.
    region : str
        S_REGION: its footprint; empty if it is not known.
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
    position: str = ""
    region: str = ""


def read_summaries(index: IndexReader) -> Iterator[SlitSummary]:
    """Read the heads of an index, in the order of its slits."""
    for row in decode_rows(index.part("heads")):
        digest, source_id, name, slit_name, kind, planes, size, shape, waves, position, region = row
        yield SlitSummary(
            digest,
            int(source_id) if source_id else None,
            name,
            slit_name,
            kind,
            int(planes),
            int(size),
            tuple(map(int, shape.split())),
            tuple(map(float, waves.split())),
            position,
            region,
        )


def to_row(head: SlitSummary) -> list[str]:
    """Row of the part ``heads`` of an index."""
    return [
        head.digest,
        "" if head.source_id is None else str(head.source_id),
        head.source_name,
        head.slit_name,
        head.exposure_type,
        str(head.planes),
        str(head.size),
        " ".join(map(str, head.shape)),
        " ".join(map(str, head.wavelengths)),
        head.position,
        head.region,
    ]
