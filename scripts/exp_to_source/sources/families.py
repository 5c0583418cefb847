"""Families: exposures whose products share one name template."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..diagnostics import Diagnostic
from ..errors import InputError
from ..formats.indices import IndexReader
from ..formats.rows import decode_column, decode_rows
from ..formats.summaries import SlitSummary, read_summaries
from ..modes import ELEMENTS, FIXED_SLIT, FIXED_SLIT_IDS
from ..naming import (
    count_source_digits,
    exposure_name,
    header_template,
    modernize_name,
    optical_elements,
    source_type,
)
from ..results import index_name
from .associations import Association


class GroupingOptions(NamedTuple):
    """The user's settings for grouping slits and naming products (config keys)."""

    group_by: str = "auto"
    source_id_digits: str = "auto"
    fixed_slit_ids: str = "header"
    on_bad_exposure: str = "stop"
    on_doubt: str = "auto"


DEFAULT_OPTIONS = GroupingOptions()


class Slit(NamedTuple):
    """Properties of a slit of an exposure that grouping needs."""

    exposure: str
    digest: str
    source_id: int
    source_name: str
    slit_name: str
    planes: int
    size: int
    detector: str = ""
    optics: str = ""
    shape: tuple[int, ...] = ()
    wavelengths: tuple[float, ...] = ()
    program: str = ""
    position: str = ""
    region: str = ""
    exposure_type: str = ""

    @property
    def kind(self) -> str:
        """Class of its source."""
        return source_type(self.source_id, self.source_name)

    @property
    def modern_name(self) -> str:
        """Name of its source, comparable between versions."""
        return modernize_name(self.source_name, self.program)

    def __str__(self) -> str:
        name = f", SRCNAME {self.source_name!r}" if self.source_name else ", no SRCNAME"
        return f"{self.exposure} slit {self.slit_name or '?'} (SOURCEID {self.source_id}{name})"


class Family(NamedTuple):
    """Products of one template: an association's, or those of equal program, elements and so on."""

    template: str
    digits: int
    association: dict[str, str] | None
    slits: list[Slit]


class Exposure(NamedTuple):
    """What the index of an exposure says.

    Attributes
    ----------
    about : dict of str
        The exposure; ``failure``: why it has no slits; ``other_kind``: what it is, if it is not
        one to regroup.
    slits : list of Slit
        Its slits, in order.
    remarks : list of Diagnostic
        What a user should know.
    tags : list of str
        All tags of its tree.
    """

    about: dict[str, str]
    slits: list[Slit]
    remarks: Sequence[Diagnostic] = ()
    tags: Sequence[str] = ()


def read_exposures(paths: Iterable[str], options: GroupingOptions) -> Iterator[Exposure]:
    """Read the small part of indices.

    Raises
    ------
    InputError
        If an index is damaged, a slit has no source id, or an exposure failed and may not be
        skipped.
    """
    for path in paths:
        with IndexReader(path) as index:
            about = index.exposure
            if os.path.basename(path) != index_name(about["exposure"]):
                raise InputError(
                    f"{path}: is the index of {about['exposure']}, renamed; delete it and run again"
                )
            is_bad = "failure" in about and "other_kind" not in about
            if is_bad and options.on_bad_exposure == "stop":
                raise InputError(about["failure"])
            optics = _optics(about)
            yield Exposure(
                about,
                [_slit(about, optics, head, options) for head in read_summaries(index)],
                [Diagnostic(*row) for row in decode_rows(index.part("remarks"))],
                decode_column(index.part("tags")),
            )


def _optics(exposure: dict[str, str]) -> tuple[str, str]:
    """Detector; instrument with optical elements; empty if there is no exposure."""
    if "failure" in exposure:
        return "", ""
    elements = optical_elements(*(exposure[key] for key in ELEMENTS))
    return exposure["detector"].lower(), f"{exposure['instrument']}_{elements}".lower()


def _slit(
    exposure: dict[str, str], optics: tuple[str, str], head: SlitSummary, options: GroupingOptions
) -> Slit:
    source_id = head.source_id
    if options.fixed_slit_ids == "table" and head.exposure_type == FIXED_SLIT:
        source_id = FIXED_SLIT_IDS.get(head.slit_name.upper(), source_id)
    if source_id is None:
        raise InputError(
            f"{exposure['path']}: slit {head.slit_name or '?'} has no SOURCEID; "
            "set the keyword in its SCI header"
        )
    detector, elements = optics
    # Without keywords, which would take twice the time.
    return Slit(
        exposure["exposure"],
        head.digest,
        source_id,
        head.source_name,
        head.slit_name,
        head.planes,
        head.size,
        detector,
        elements,
        head.shape,
        head.wavelengths,
        exposure["program"],
        head.position,
        head.region,
        head.exposure_type,
    )


def make_families(
    exposures: Iterable[Exposure],
    associations: Iterable[Association],
    options: GroupingOptions,
) -> list[Family]:
    """Sort exposures into families.

    Parameters
    ----------
    exposures : iterable of Exposure
        Result of `read_exposures`.
    associations : iterable of Association
        The science members of each are one family; other exposures are named after their headers.
    options : GroupingOptions
        The user's.
    """
    known = {exposure.about["exposure"]: exposure for exposure in exposures}
    claimed: set[str] = set()
    families = []
    for association in associations:
        names = list(map(exposure_name, association.science))
        claimed.update(names)
        members = [known[name] for name in names if name in known]
        if not members:
            continue
        instruments = {exposure.about["instrument"] for exposure in members}
        if len(instruments) > 1:
            raise InputError(
                f"{association.path}: its members are of several instruments "
                f"({', '.join(sorted(instruments))}), products are of one; make it again"
            )
        about = {"pool_name": association.pool, "table_name": os.path.basename(association.path)}
        families.append(
            Family(
                association.template,
                _digits(members, options),
                {key: value for key, value in about.items() if value},
                [slit for exposure in members for slit in exposure.slits],
            )
        )
    by_headers: dict[str, list[Exposure]] = {}
    for name in known:
        if name not in claimed:
            by_headers.setdefault(_template(known[name].about), []).append(known[name])
    for template, members in by_headers.items():
        slits = [slit for exposure in members for slit in exposure.slits]
        families.append(Family(template, _digits(members, options), None, slits))
    return families


def _digits(members: list[Exposure], options: GroupingOptions) -> int:
    if options.source_id_digits != "auto":
        return int(options.source_id_digits)
    return max(count_source_digits(exposure.about["version"]) for exposure in members)


def _template(exposure: dict[str, str]) -> str:
    """Template from headers."""
    words = {key: exposure[key] for key in ("program", "observation", "instrument")}
    optics = [exposure[key] for key in ELEMENTS]
    return header_template(
        **words,
        elements=optical_elements(*optics),
        slits=exposure["exposure_type"] == FIXED_SLIT,
        subarray=exposure["subarray"],
    )
