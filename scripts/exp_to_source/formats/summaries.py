"""Summaries of slits in an index: what the source list needs of each, and gathering does not."""

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
        Number of its HDUs, and their bytes.
    shape : tuple of int
        Rows and columns of its first HDU.
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

    def to_row(self) -> list[str]:
        """Format the fields as a row of an index: several numbers between blanks, None as ""."""
        return [
            " ".join(map(str, field if isinstance(field, tuple) else (field,)))
            for field in ("" if field is None else field for field in self)
        ]


def read_summaries(index: IndexReader) -> Iterator[SlitSummary]:
    """Read the summaries in an index, in the order of its slits."""
    for row in decode_rows(index.part("summaries")):
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
