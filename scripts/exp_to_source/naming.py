"""Names of exposures and products: formatting and parsing them.

The syntax is that of the JWST pipeline's documentation ("File naming schemes"): stage 2 names
``jw<ppppp><ooo><vvv>_<gg><s><aa>_<eeeee>[-segNNN]_<detector>_cal``, stage 3 source-based names
``jw<ppppp>-<AC_ID>_[t<TargID>-]<s|b|v><SourceID>[-epochX]_<instr>_<elements>[-...]_cal``.
"""

import os
import re
from collections.abc import Mapping
from functools import lru_cache

from .errors import InputError
from .modes import INSTRUMENTS

#: Pattern of each wildcard of a product's name, whatever its syntax: what is before the source, the
#: source, and what follows. The rules use them, and Snakemake does not understand open ranges such
#: as ``{5,}``.
PRODUCT_PARTS = {
    "association": r"(?:[A-Za-z0-9](?:\.?[A-Za-z0-9_+-])*\.?)?",
    "source": r"[sbv][0-9]{5}[0-9]*",
    "setting": r"(?:\.?[A-Za-z0-9_+-])*",
}

#: Name of a product by wildcards, such as jw10006-o010_, s00061, _nirspec_f170lp-g235m; names of
#: associations may have any syntax.
PRODUCT = "{association}{source}{setting}"

#: Longer names of products leave no room for suffixes: file systems allow 255 bytes.
MAX_PRODUCT_NAME = 220

_ANY_PRODUCT = re.compile(PRODUCT.format(**PRODUCT_PARTS))
_PRODUCT = re.compile(
    r"jw[0-9]{5}-[acor][0-9]{3,4}_(?:t[0-9]{3,}-)?(?P<type>[sbv])(?P<source_id>[0-9]{5,})"
    rf"(?:-epoch[0-9a-z]+)?_(?:{'|'.join(INSTRUMENTS).lower()})_[a-z0-9]+(?:-[a-z0-9]+)*"
)
_EXPOSURE = re.compile(
    r"jw(\d{5})(\d{3})(\d{3})_(\d{2})(\d)([0-9a-z]{2})_(\d{5})"
    r"(?:-seg(\d{3}))?_(?P<detector>[a-z0-9]+)_(cal|mbsub)",
    re.ASCII,
)
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")
_ARCHIVED = re.compile(r"jw\d{11}_\d{3}[0-9a-z]{2}_\d{5}(?:-seg\d{3})?_[a-z0-9]+", re.ASCII)

#: Name of a background slitlet before pipeline version 1.15.
_OLD_BACKGROUND = re.compile(r"background_([0-9]+)")

#: Names that are safe as parts of names of files in the results.
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,199}")

#: Fields of a name in the archive's syntax where the source goes if it has no ``{source_id}``: a
#: source, or otherwise the target.
_SOURCE_FIELD = re.compile(
    r"^(jw[0-9]{5}-[acor][0-9]{3,4}_(?:t[0-9]{3,}-)?)[sbv][0-9]{5,}(?=-epoch|_)"
)
_TARGET_FIELD = re.compile(r"^(jw[0-9]{5}-[acor][0-9]{3,4}_)t[0-9]{3,}(?=-epoch|_)")

#: A field of a template, with what separates it from the word before.
_FIELD = re.compile(r"[_.+-]?\{(?:source_id|slit_name)\}")

#: First pipeline version whose names have nine digits for the source.
NINE_DIGITS_SINCE = (1, 15)

#: Before this pipeline version, fixed slits have the ids of `modes.FIXED_SLIT_IDS`.
NUMBERED_BY_SLIT_BEFORE = (1, 12)


def parse_exposure_name(name: str) -> tuple[str | None, ...] | None:
    """Parse the name of an exposure (without folder and extension); None if it is not one.

    The parts are program, observation, visit, group, sequence, activity, exposure, segment (which
    may be None), detector, suffix.
    """
    match = _EXPOSURE.fullmatch(name)
    return match.groups() if match else None


def find_archive_name(text: str) -> str:
    """Find the archive's name of an exposure, without suffix, in a text; empty if it has none."""
    match = _ARCHIVED.search(text)
    return match[0] if match else ""


def archive_name(header: Mapping[str, str]) -> str:
    """Name an exposure by its headers as the archive does, without segment and suffix."""
    widths = {"program": 5, "observation": 3, "visit": 3, "visit_group": 2}
    widths |= {"sequence": 1, "activity": 2, "exposure_number": 5, "detector": 1}
    words = [header.get(key, "").lower().lstrip("0").zfill(width) for key, width in widths.items()]
    return "jw{}{}{}_{}{}{}_{}_{}".format(*words)


def get_detector(exposure: str) -> str:
    """Return the detector of an exposure by its name; the name itself if it is not one."""
    match = _EXPOSURE.fullmatch(exposure)
    return match["detector"] if match else exposure


def parse_product_name(name: str) -> tuple[str, int] | None:
    """Parse type and id of the source in a product's name; None if it is not one of the archive.

    The type ``v`` stands for negative ids, as their sign is not part of the name.
    """
    match = _PRODUCT.fullmatch(name.removesuffix("_cal"))
    if not match:
        return None
    return match["type"], int(match["source_id"]) * (-1 if match["type"] == "v" else 1)


def is_product_name(name: str) -> bool:
    """Whether something can be the name of a product, in the archive's syntax or not."""
    return len(name) <= MAX_PRODUCT_NAME and _ANY_PRODUCT.fullmatch(name) is not None


def group_name(template: str) -> str:
    """Name what all products of a template have in common: the template without its fields.

    A target that the source replaces is part of it, as in the archive's tables of WFSS spectra.
    """
    name = _FIELD.sub("", _SOURCE_FIELD.sub(r"\1{source_id}", template))
    return name.lstrip("_.+-") or "sources"


def source_type(source_id: int, source_name: str) -> str:
    """Return the type of a source: ``b`` background slitlet, ``v`` virtual, ``s`` any other."""
    if "BKG" in source_name or _OLD_BACKGROUND.fullmatch(source_name):
        return "b"
    return "v" if source_id < 0 else "s"


@lru_cache(maxsize=1 << 16)
def modernize_name(source_name: str, program: str) -> str:
    """Convert the name of a background slitlet to that since pipeline version 1.15.

    Cached, as a source is in many exposures.
    """
    match = _OLD_BACKGROUND.fullmatch(source_name)
    return f"{program.lstrip('0')}_BKG{match[1]}" if match else source_name


def format_source(source_type: str, source_id: int, digits: int) -> str:
    """Format a source as in names, ``s00061``; long ids are never cut."""
    return f"{source_type}{abs(source_id):0{digits}d}"


def is_newer(version: str, other: str) -> bool:
    """Whether a pipeline version (CAL_VER) is after another; False if it is not known."""
    return bool(_numbers(version)) and _numbers(version) > _numbers(other)


def precedes(version: str, other: tuple[int, int]) -> bool:
    """Whether a pipeline version (CAL_VER) is before another; False if it is not known."""
    return bool(_numbers(version)) and _numbers(version) < other


def _numbers(version: str) -> tuple[int, ...]:
    """Parse the three numbers of a version; none if it is not one."""
    match = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    return tuple(int(part or 0) for part in match.groups()) if match else ()


def count_source_digits(version: str) -> int:
    """Return the number of digits of source ids in names of a pipeline version (CAL_VER)."""
    return 5 if precedes(version, NINE_DIGITS_SINCE) else 9


def optical_elements(*elements: str) -> str:
    """Join filter, grating and pupil as in names; ``clear`` if there is none."""
    words = sorted(e.lower() for e in elements if e and e.upper() not in ("N/A", "NONE"))
    return "-".join(words) or "clear"


def header_template(
    program: str, observation: str, instrument: str, elements: str, slits: bool, subarray: str
) -> str:
    """Compose the template of a product's name from headers, if no association gives one.

    `slits` says whether names of fixed slits are part of it.
    """
    words = [_to_safe(elements)]
    if slits:
        words.append("{slit_name}")
    if subarray and subarray.lower() not in ("full", "n/a", "none"):
        words.append(_to_safe(subarray.lower()))
    head = f"jw{_to_safe(program):0>5}-o{_to_safe(observation):0>3}"
    parts = (head, "{source_id}", _to_safe(instrument.lower()), "-".join(words))
    return "_".join(part for part in parts if part)


def _to_safe(text: str) -> str:
    """Replace what file names should not have by dashes."""
    return _UNSAFE.sub("-", text.strip())


def fill_template(template: str, source: str, slits: list[str]) -> str:
    """Fill in ``{source_id}`` and ``{slit_name}``; upper case stays what it is, as in the pipeline.

    Without ``{source_id}``, the source (see `format_source`) replaces the source or target of a
    name in the archive's syntax, and is appended to others. `slits` has each name once.
    """
    name = template
    for field in (_SOURCE_FIELD, _TARGET_FIELD):
        if "{source_id}" not in name:
            name = field.sub(r"\1{source_id}", name)
    if "{source_id}" not in name:
        name += "_{source_id}"
    slit_name = "-".join(_to_safe(slit.lower()) for slit in slits)
    if not slit_name:
        name = name.replace("-{slit_name}", "")
    return name.replace("{source_id}", source).replace("{slit_name}", slit_name)


def exposure_name(path: str) -> str:
    """Return the name of an exposure: that of its file, without folder and extension.

    It must be valid as part of file names, shell commands and headers.
    """
    name = os.path.basename(path).removesuffix(".fits")
    if not _SAFE_NAME.fullmatch(name):
        raise InputError(
            f"{path!r}: file names of exposures may have letters, digits and _ . + - only, "
            "200 at most; rename it"
        )
    return name


def check_path(path: str) -> None:
    """Check that a path fits in lists of one path per line, and does not look like wildcards."""
    if not path.isprintable() or "{" in path or "}" in path:
        raise InputError(
            f"{path!r}: braces, and what is not printable, cannot be part of paths; "
            "rename it, or reach it by another way"
        )
