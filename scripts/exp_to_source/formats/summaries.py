"""Summaries of slits in an index: what the source list needs of each, and gathering does not."""

from collections.abc import Iterator
from typing import NamedTuple

from .indices import IndexReader
from .rows import decode_rows


class SlitSummary(NamedTuple):
    """Properties of a slit that the source list needs."""

    digest: str  #: of everything of the slit that goes into a product
    source_id: int | None  #: SOURCEID
    source_name: str  #: SRCNAME
    slit_name: str  #: SLTNAME
    exposure_type: str  #: EXP_TYPE of the slit, or otherwise of its exposure
    planes: int  #: number of its HDUs
    size: int  #: bytes of its HDUs
    shape: tuple[int, ...]  #: rows and columns of its first HDU
    wavelengths: tuple[float, ...]  #: shortest and longest (µm); empty if they are not known
    position: str = ""  #: right ascension and declination (degrees), between blanks, if known
    # As in the headers; empty if they have none.
    region: str = ""  #: S_REGION: its footprint
    source_type: str = ""  #: SRCTYPE
    shutter_state: str = ""  #: SHUTSTA
    order: str = ""  #: SPORDER
    dither: str = ""  #: PATT_NUM: position in the pattern of nods and dithers
    exposure_time: str = ""  #: EFFEXPTM (s)

    def to_row(self) -> list[str]:
        """Format the fields as a row of an index: several numbers between blanks, None as ""."""
        return [
            " ".join(map(str, field if isinstance(field, tuple) else (field,)))
            for field in ("" if field is None else field for field in self)
        ]


def read_summaries(index: IndexReader) -> Iterator[SlitSummary]:
    """Read the summaries in an index, in the order of its slits."""
    for row in decode_rows(index.part("summaries")):
        digest, source_id, name, slit_name, type_, planes, size, shape, waves, *texts = row
        id_, numbers = int(source_id) if source_id else None, (int(planes), int(size))
        axes, wavelengths = tuple(map(int, shape.split())), tuple(map(float, waves.split()))
        yield SlitSummary(digest, id_, name, slit_name, type_, *numbers, axes, wavelengths, *texts)
