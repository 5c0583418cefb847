"""Diagnostics: what a user should know about exposures that were regrouped nevertheless."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from ..diagnostics import Diagnostic
from ..formats.cards import Value
from ..formats.tags import dropped_tags, unknown_tags
from .keywords import Keyword
from .misfits import Misfits
from .normalise import Refusal

#: Maximum number and length of remarks in an index; its log has all of them.
MAX_REMARKS = 30
MAX_LENGTH = 400

#: Longest list of allowed values or HDUs, and longest value, in a remark.
MAX_LISTED = 8
MAX_VALUE = 60

#: Prefix of YAML's own tags.
YAML_TAGS = "tag:yaml.org,2002:"

#: Words for a value that is not of the schema's type, by type.
WANTED = {
    "string": "no string",
    "integer": "no whole number",
    "number": "no number",
    "boolean": "neither T nor F",
}


def on_tags(tags: Iterable[str]) -> list[str]:
    """Report tags of a tree that current libraries cannot read, including misspelt ones."""
    said = []
    if dropped := dropped_tags(tags):
        said.append(
            f"its ASDF tree has tags that stdatamodels has dropped ({', '.join(dropped)}), so "
            "neither it nor its products can be opened; get the file again"
        )
    others = unknown_tags(tags).difference(dropped)
    if unknown := sorted(tag for tag in others if not tag.startswith(YAML_TAGS)):
        said.append(
            f"its ASDF tree has tags that the installed libraries do not know "
            f"({', '.join(unknown)}): readers have what is tagged as plain values, and a WCS with "
            "such a tag cannot be used"
        )
    return said


def on_refusals(refusals: Iterable[Refusal]) -> list[str]:
    """Report values of headers that were not accepted; one remark for equal values of many HDUs."""
    versions: dict[tuple[str, str], list[int]] = {}
    for (name, version), word, value, card in refusals:
        what = f"{card!r:.{MAX_VALUE}} does not follow FITS" if card else _refused(word, value)
        versions.setdefault((name, what), []).append(version)
    return [
        f"{_places(name, numbers)}: {what}; the ASDF tree's value stays"
        for (name, what), numbers in versions.items()
    ]


def on_misfits(misfits: Misfits) -> list[str]:
    """Report values of a tree that the schema does not accept."""
    if not misfits:
        return []
    shown = [
        path if value is None else f"{path}: {value!r:.{MAX_VALUE}}"
        for path, value in list(misfits.items())[:MAX_LISTED]
    ]
    more = f" and {len(misfits) - MAX_LISTED} more" if len(misfits) > MAX_LISTED else ""
    return [
        f"its ASDF tree has values that the schema does not accept ({', '.join(shown)}{more}): "
        "they are copied, but readers may drop or refuse them; correct them, or get the file again"
    ]


def _refused(word: Keyword, value: Value) -> str:
    """Keyword, value, and the reason why it is refused."""
    if value is None:
        return f"{word.name} has no value"
    shown = {True: "T", False: "F"}[value] if isinstance(value, bool) else repr(value)
    if len(shown) > MAX_VALUE:
        shown = f"{shown[:MAX_VALUE]}..."
    if len(word.values) > MAX_LISTED:
        wrong = f"none of the {len(word.values)} values that the schema allows"
    elif word.values:
        wrong = f"none of {', '.join(map(str, word.values))}"
    else:
        wrong = WANTED[word.type]
    return f"{word.name} = {shown} is {wrong}"


def _places(name: str, versions: list[int]) -> str:
    """HDUs of one name, with consecutive versions as a range."""
    if name == "PRIMARY":
        return name
    spans = []
    for _, run in groupby(enumerate(sorted(versions)), key=lambda pair: pair[1] - pair[0]):
        numbers = [version for _, version in run]
        spans.append(f"{numbers[0]}-{numbers[-1]}" if numbers[1:] else f"{numbers[0]}")
    more = f" and {len(spans) - MAX_LISTED} more" if len(spans) > MAX_LISTED else ""
    return f"{name},{' '.join(spans[:MAX_LISTED])}{more}"


def kept(remarks: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return the remarks that the index keeps."""
    short = [
        Diagnostic(level, text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 4]} ...")
        for level, text in remarks[:MAX_REMARKS]
    ]
    if more := len(remarks) - len(short):
        short.append(Diagnostic(remarks[-1].level, f"and {more} more remarks, see the index's log"))
    return short
