"""Warnings and notes about an exposure that is regrouped nevertheless."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from ..diagnostics import Diagnostic
from ..errors import list_some
from ..formats.cards import Value
from ..formats.tags import dropped_tags, unknown_tags
from .datatypes import find_cast
from .exposure import Exposure
from .fitsfile import HDU
from .headers import UNREPORTED, unknown_keywords
from .keywords import Keyword, table
from .nodes import at, value_at
from .normalise import RejectedKeyword
from .schema_violations import Violations, find_schema_violations, header_tree_mismatches

#: Maximum number and length of diagnostics in an index; its log has all of them.
MAX_DIAGNOSTICS = 30
MAX_LENGTH = 400

#: Longest list of allowed values or HDUs, and longest value, in a sentence.
MAX_LISTED = 8
MAX_VALUE = 60

#: Prefix of YAML's own tags.
YAML_TAGS = "tag:yaml.org,2002:"

#: What a value is that is not of the schema's type, by type.
WRONG_TYPES = {
    "string": "not a string",
    "integer": "not an integer",
    "number": "not a number",
    "boolean": "neither T nor F",
}


def diagnose(
    exposure: Exposure, matched: list[list[HDU]], unreferenced_hdus: set[str], is_whole: bool
) -> list[Diagnostic]:
    """Report what products will lack, and what was done otherwise, warnings first.

    `matched` are the HDUs of each slit, `unreferenced_hdus` the names of others; a file that
    `is_whole` ends with its last HDU.
    """
    normalised, slits = exposure.normalised, exposure.tree.slits
    warnings = [
        *tag_warnings(exposure.tree.tags),
        *rejected_keywords(normalised.rejected if normalised else []),
        *schema_warnings(find_schema_violations(exposure)),
        *header_tree_mismatches(exposure),
    ]
    notes = []
    if normalised and normalised.edited:
        notes.append(
            "headers were edited after the ASDF tree was written (or it is an old file): the "
            "headers' values are used"
        )
    elif normalised:
        notes.append("its ASDF tree is not laid out as asdf does; it was laid out anew")
    if without := sum(at(slit.node, "meta.wcs") is None for slit in slits):
        notes.append(f"{without} of its {len(slits)} slits have no WCS")
    if normalised and normalised.dropped:
        names = ", ".join(normalised.dropped)
        notes.append(f"keys of its ASDF tree without a value are left out: {names}")
    if value_at(exposure.tree.meta, "exposure.type") is None:
        notes.append("it has no EXP_TYPE: instrument and slits decide how products are named")
    used = [exposure.hdus[0], *(hdu for hdus in matched for hdu in hdus)]
    known = {keyword.name for keyword in (*table().product, *table().entry)}
    unknown = _sorted(name for hdu in used for name in unknown_keywords(hdu.header, known))
    if unknown and exposure.is_newer:
        notes.append(
            f"keywords that the schema of jwst {table().pipeline} does not know are kept, as its "
            f"pipeline is newer: {unknown}"
        )
    repeated = set().union(*(hdu.header.repeated for hdu in exposure.hdus)) - UNREPORTED
    omitted = {
        "keywords that no schema knows are left out": "" if exposure.is_newer else unknown,
        "of repeated keywords the first counts": _sorted(repeated),
        "cards that do not follow FITS are left out": _sorted(
            name for hdu in exposure.hdus for name in hdu.header.invalid
        ),
        "HDUs that no slit uses are left out": _sorted(unreferenced_hdus),
    }
    notes += (f"{what}: {names}" for what, names in omitted.items() if names)
    if cast := _sorted(hdu.name for hdu in used if find_cast(hdu)):
        notes.append(f"{cast}: cast to the datatype of the schema, as by jwst")
    if exposure.hdus[0].shape:
        notes.append("the image in PRIMARY is left out")
    if not is_whole:
        notes.append("bytes after the last HDU are left out")
    return [
        *(Diagnostic("warning", text) for text in warnings),
        *(Diagnostic("note", text) for text in notes),
    ]


def tag_warnings(tags: Iterable[str]) -> list[str]:
    """Report tags of a tree that current libraries cannot read, including misspelt ones."""
    warnings = []
    if dropped := dropped_tags(tags):
        warnings.append(
            f"its ASDF tree has tags that stdatamodels has dropped ({', '.join(dropped)}), so "
            "neither it nor its products can be opened; get the file again"
        )
    unknown = unknown_tags(tags).difference(dropped)
    if listed := _sorted(tag for tag in unknown if not tag.startswith(YAML_TAGS)):
        warnings.append(
            f"its ASDF tree has tags that the installed libraries do not know ({listed}): readers "
            "have what is tagged as plain values, and a WCS with such a tag cannot be used"
        )
    return warnings


def rejected_keywords(rejected: Iterable[RejectedKeyword]) -> list[str]:
    """Report values of headers that were not accepted, equal ones of many HDUs in one sentence."""
    versions: dict[tuple[str, str], list[int]] = {}
    for (name, version), keyword, value, card in rejected:
        reason = _rejection_reason(keyword, value, card)
        versions.setdefault((name, reason), []).append(version)
    return [
        f"{_format_hdus(name, numbers)}: {reason}; the ASDF tree's value stays"
        for (name, reason), numbers in versions.items()
    ]


def schema_warnings(violations: Violations) -> list[str]:
    """Report values of a tree that the schema does not accept."""
    if not violations:
        return []
    values = (
        path if value is None else f"{path}: {value!r:.{MAX_VALUE}}"
        for path, value in violations.items()
    )
    listed = list_some(values, limit=MAX_LISTED)
    return [
        f"its ASDF tree has values that the schema does not accept ({listed}): they are copied, "
        "but readers may drop or refuse them; correct them, or get the file again"
    ]


def truncate(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return the diagnostics that the index keeps."""
    short = [
        Diagnostic(level, text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 4]} ...")
        for level, text in diagnostics[:MAX_DIAGNOSTICS]
    ]
    if more := len(diagnostics) - len(short):
        text = f"and {more} more remarks, see the index's log"
        short.append(Diagnostic(diagnostics[-1].level, text))
    return short


def _sorted(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))


def _rejection_reason(keyword: Keyword, value: Value, card: str) -> str:
    if card:
        return f"{card!r:.{MAX_VALUE}} does not follow FITS"
    if value is None:
        return f"{keyword.name} has no value"
    text = {True: "T", False: "F"}[value] if isinstance(value, bool) else repr(value)
    if len(text) > MAX_VALUE:
        text = f"{text[:MAX_VALUE]}..."
    allowed = ", ".join(map(str, keyword.values))
    if len(keyword.values) > MAX_LISTED:
        allowed = f"the {len(keyword.values)} values that the schema allows"
    reason = f"not one of {allowed}" if allowed else WRONG_TYPES[keyword.type]
    return f"{keyword.name} = {text} is {reason}"


def _format_hdus(name: str, versions: list[int]) -> str:
    """Format HDUs of one name, with consecutive versions as a range."""
    if name == "PRIMARY":
        return name
    spans = []
    for _, run in groupby(enumerate(sorted(versions)), key=lambda pair: pair[1] - pair[0]):
        numbers = [version for _, version in run]
        spans.append(f"{numbers[0]}-{numbers[-1]}" if numbers[1:] else f"{numbers[0]}")
    return f"{name},{list_some(spans, ' ', MAX_LISTED)}"
