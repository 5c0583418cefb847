"""Families: exposures whose products share one name template."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .. import naming
from ..diagnostics import Diagnostic
from ..errors import InputError
from ..formats.indices import IndexReader
from ..formats.rows import decode_column, decode_rows
from ..formats.summaries import read_summaries
from ..modes import ELEMENTS, FIXED_SLIT, FIXED_SLIT_IDS
from ..results import index_name
from .associations import Association
from .join_table import SlitKey


class GroupingOptions(NamedTuple):
    """The user's settings for grouping slits and naming products (config keys)."""

    group_by: str = "auto"
    source_id_digits: str = "auto"
    fixed_slit_ids: str = "header"
    on_bad_exposure: str = "stop"
    on_doubt: str = "auto"
    join_radius: float | None = None


DEFAULT_OPTIONS = GroupingOptions()


class Slit(NamedTuple):
    """Properties of a slit that grouping needs: those of its index, and of its exposure."""

    exposure: str
    digest: str
    source_id: int
    source_name: str
    slit_name: str
    exposure_type: str
    planes: int
    size: int
    shape: tuple[int, ...] = ()
    wavelengths: tuple[float, ...] = ()
    position: str = ""
    region: str = ""
    source_type: str = ""
    shutter_state: str = ""
    order: str = ""
    dither: str = ""
    exposure_time: str = ""
    detector: str = ""
    optics: str = ""
    program: str = ""

    @property
    def class_(self) -> str:
        """Class of its source."""
        return naming.source_type(self.source_id, self.source_name)

    @property
    def key(self) -> SlitKey:
        """What a row of a table of joins uses of it."""
        return SlitKey(self.exposure, self.slit_name, self.source_id, self.source_name)

    @property
    def modern_name(self) -> str:
        """Name of its source, comparable between versions."""
        return naming.modernize_name(self.source_name, self.program)

    def __str__(self) -> str:
        name = f", SRCNAME {self.source_name!r}" if self.source_name else ", no SRCNAME"
        return f"{self.exposure} slit {self.slit_name or '?'} (SOURCEID {self.source_id}{name})"


class Family(NamedTuple):
    """Products of one template: an association's, or those of equal program, elements and so on."""

    template: str
    digits: int
    association: dict[str, str] | None
    slits: list[Slit]


class IndexedExposure(NamedTuple):
    """The small part of the index of an exposure: what identifies it, its slits, all its tags.

    The header has ``failure`` if there are no slits: why; ``other_kind``: what the exposure is, if
    it is not one to regroup.
    """

    header: dict[str, str]
    slits: list[Slit]
    diagnostics: Sequence[Diagnostic] = ()
    tags: Sequence[str] = ()

    @property
    def name(self) -> str:
        """Name of the exposure."""
        return self.header["exposure"]


def read_exposures(paths: Iterable[str], options: GroupingOptions) -> Iterator[IndexedExposure]:
    """Read the small part of indices; refuse a failed exposure, unless it may be skipped."""
    for path in paths:
        with IndexReader(path) as index:
            header = index.exposure
            if os.path.basename(path) != index_name(header["exposure"]):
                raise InputError(
                    f"{path}: is the index of {header['exposure']}, renamed; delete it and run "
                    "again"
                )
            is_bad = "failure" in header and "other_kind" not in header
            if is_bad and options.on_bad_exposure == "stop":
                raise InputError(header["failure"])
            yield IndexedExposure(
                header,
                list(_read_slits(index, options)),
                [Diagnostic(*row) for row in decode_rows(index.part("diagnostics"))],
                decode_column(index.part("tags")),
            )


def _read_slits(index: IndexReader, options: GroupingOptions) -> Iterator[Slit]:
    header = index.exposure
    if "failure" in header:
        return
    name, program, detector = header["exposure"], header["program"], header["detector"].lower()
    elements = naming.optical_elements(*(header[key] for key in ELEMENTS))
    optics = f"{header['instrument']}_{elements}".lower()
    for summary in read_summaries(index):
        source_id = summary.source_id
        if options.fixed_slit_ids == "table" and summary.exposure_type == FIXED_SLIT:
            source_id = FIXED_SLIT_IDS.get(summary.slit_name.upper(), source_id)
        if source_id is None:
            raise InputError(
                f"{header['path']}: slit {summary.slit_name or '?'} has no SOURCEID; "
                "set the keyword in its SCI header"
            )
        yield Slit(name, summary.digest, source_id, *summary[2:], detector, optics, program)


def make_families(
    exposures: Iterable[IndexedExposure],
    associations: Iterable[Association],
    options: GroupingOptions,
) -> list[Family]:
    """Sort exposures into families: the members of each association, others by their headers."""
    by_name = {exposure.name: exposure for exposure in exposures}
    groups: list[tuple[str, dict[str, str] | None, list[IndexedExposure]]] = []
    claimed: set[str] = set()
    for association in associations:
        names = list(map(naming.exposure_name, association.science))
        claimed.update(names)
        members = [by_name[name] for name in names if name in by_name]
        instruments = {exposure.header["instrument"] for exposure in members}
        if len(instruments) > 1:
            raise InputError(
                f"{association.path}: its members are of several instruments "
                f"({', '.join(sorted(instruments))}), products are of one; make it again"
            )
        about = {"pool_name": association.pool, "table_name": os.path.basename(association.path)}
        groups.append((association.template, {k: v for k, v in about.items() if v}, members))
    by_headers: dict[str, list[IndexedExposure]] = {}
    for name, exposure in by_name.items():
        if name not in claimed:
            header = exposure.header
            template = naming.header_template(
                header["program"],
                header["observation"],
                header["instrument"],
                naming.optical_elements(*(header[key] for key in ELEMENTS)),
                slits=header["exposure_type"] == FIXED_SLIT,
                subarray=header["subarray"],
            )
            by_headers.setdefault(template, []).append(exposure)
    groups += ((template, None, members) for template, members in by_headers.items())
    families = []
    for template, asn, members in groups:
        if members:
            digits = max(naming.count_source_digits(member.header["version"]) for member in members)
            if options.source_id_digits != "auto":
                digits = int(options.source_id_digits)
            slits = [slit for member in members for slit in member.slits]
            families.append(Family(template, digits, asn, slits))
    return families
