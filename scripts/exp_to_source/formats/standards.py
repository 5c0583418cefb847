"""Products with exposures of several ASDF standards.

A product has one preamble, that of the newest standard among its entries. This standard does not
have a few tags of the older one, though their meaning has not changed; these get their new names.
"""

from __future__ import annotations

from .. import TYPE_CHECKING
from .template import TAG_MARK

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Standard of a document whose preamble names none.
UNSTATED = "1.0.0"

#: Standards that can be combined in one product, from old to new: jwst up to 1.16, and since.
STANDARDS = ("1.5.0", "1.6.0")

#: Prefix of tags that are written in short form.
PREFIX = "tag:stsci.edu:asdf/"

#: Tags of the first of these standards that the other does not have, and their names there, without
#: the prefix. From the manifests ``asdf-format.org/core/manifests/core-1.5.0``
#: and ``core-1.6.0`` of the package asdf-standard: their schemas allow what those before did.
RENAMED = {
    "core/column-1.0.0": "table/column-1.1.0",
    "core/integer-1.0.0": "core/integer-1.1.0",
    "core/ndarray-1.0.0": "core/ndarray-1.1.0",
    "core/table-1.0.0": "table/table-1.1.0",
    "fits/fits-1.0.0": "fits/fits-1.1.0",
    "time/time-1.1.0": "time/time-1.2.0",
    "unit/quantity-1.1.0": "unit/quantity-1.2.0",
}

#: The same in full, as in the nodes of a tree: the old tags.
RENAMED_TAGS = frozenset(f"{PREFIX}{tag}" for tag in RENAMED)


def newest(standards: Iterable[str]) -> str:
    """Return the newest of several standards."""
    return max(standards, key=lambda standard: [int(part) for part in standard.split(".")])


def mark_renamed_tag(tag: str) -> str:
    """Mark a full tag if a newer standard renamed it."""
    return f"{PREFIX}{TAG_MARK}{tag.removeprefix(PREFIX)}" if tag in RENAMED_TAGS else tag


def strip_marks(text: str) -> str:
    """Remove the marks of tags from a text."""
    return text.replace(TAG_MARK, "")


def update_tags(text: str) -> str:
    """Replace the marked tags of a text by those of the newest standard."""
    for old, new in RENAMED.items():
        text = text.replace(f"{TAG_MARK}{old}", new)
    return text
