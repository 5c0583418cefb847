"""Pieces of text that are completed only when a product is written.

Edits turn the text of a slit in its exposure into a *fragment*, which has *marks* for everything
that depends on the product. Headers have marks, too. Marks are control characters, which YAML and
FITS cards forbid, so that no text of a file can be mistaken for a mark.
"""

from __future__ import annotations

from .. import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: The number of the entry within the product: part of every anchor's name; in a header, the EXTVER
#: card.
ENTRY_PLACEHOLDER = "\x01"
#: Followed by a number and a semicolon: an internal block, counted within the entry.
BLOCK_PLACEHOLDER = "\x02"
#: The exposure's metadata, as separate lines of the entry.
META_PLACEHOLDER = "\x03"
#: The exposure type of the slit.
TYPE_PLACEHOLDER = "\x04"
#: Within a tag, before its name: a tag that newer ASDF standards renamed (see `standards`).
TAG_MARK = "\x05"
#: In a header: the exposure's own cards, which only a product's first entry has.
CARDS_PLACEHOLDER = "\x06"
#: In an index, followed by a number: a text that several records share.
SHARED_PLACEHOLDER = "\x07"

#: Offset in the text, length of the replaced part, replacement.
Replacement = tuple[int, int, str]


def quote(text: str) -> str:
    """Text as a YAML scalar in one line; characters that YAML forbids or changes are escaped."""
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    if not escaped.isprintable():
        escaped = "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped)
    return f'"{escaped}"'


def number_blocks(text: str, name: Callable[[int], str]) -> str:
    """Replace the mark of each block by the name of its number.

    Raises
    ------
    ValueError
        If a mark has no number, as in a text that was changed.
    """
    first, *marked = text.split(BLOCK_PLACEHOLDER)
    parts = [first]
    for part in marked:
        number, _, rest = part.partition(";")
        parts += (name(int(number)), rest)
    return "".join(parts)


def apply_replacements(text: str, edits: Sequence[Replacement]) -> str:
    """Replace parts of a text; the edits are in order and do not overlap."""
    parts: list[str] = []
    last = 0
    for place, length, replacement in edits:
        parts += (text[last:place], replacement)
        last = place + length
    parts.append(text[last:])
    return "".join(parts)


def fill_placeholders(fragment: str, entry: int, first_block: int, exposure_type: str) -> str:
    """Replace the marks of a fragment by numbers.

    Parameters
    ----------
    fragment : str
        Text with marks; a META_PLACEHOLDER must have been replaced already.
    entry : int
        Number of the entry, from 1.
    first_block : int
        Number, in the product, of the entry's first internal block.
    exposure_type : str
        YAML text of the entry's exposure type.
    """
    text = fragment.replace(ENTRY_PLACEHOLDER, str(entry)).replace(TYPE_PLACEHOLDER, exposure_type)
    return number_blocks(text, lambda number: str(first_block + number))
