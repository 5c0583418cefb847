"""Text of a slit in its exposure's tree, as a template that is filled in when a product is written.

Replacements turn the text into a *template*, with *placeholders* for everything that depends on the
product. Headers have placeholders, too. They are control characters, which YAML and FITS cards
forbid, so that no text of a file can be mistaken for one.
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
#: In an index, followed by a number: a text that several layouts share.
SHARED_PLACEHOLDER = "\x07"

#: Offset in the text, length of the replaced part, new text.
Replacement = tuple[int, int, str]


def quote(text: str) -> str:
    """Format a text as YAML scalar in one line; what YAML forbids or changes is escaped."""
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    if not escaped.isprintable():
        escaped = "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped)
    return f'"{escaped}"'


def number_blocks(text: str, name: Callable[[int], str]) -> str:
    """Replace the placeholder of each block by the name of its number.

    A placeholder without a number, as in a text that was changed, is a ValueError.
    """
    first, *pieces = text.split(BLOCK_PLACEHOLDER)
    parts = [first]
    for piece in pieces:
        number, _, rest = piece.partition(";")
        parts += (name(int(number)), rest)
    return "".join(parts)


def apply_replacements(text: str, replacements: Sequence[Replacement]) -> str:
    """Replace parts of a text; the replacements are in order and do not overlap."""
    parts: list[str] = []
    end = 0
    for start, length, new in replacements:
        parts += (text[end:start], new)
        end = start + length
    parts.append(text[end:])
    return "".join(parts)


def fill_placeholders(template: str, entry: int, first_block: int, exposure_type: str) -> str:
    """Replace the placeholders of a template, other than that of the exposure's metadata.

    `first_block` is the number, in the product, of the entry's first internal block.
    """
    text = template.replace(ENTRY_PLACEHOLDER, str(entry)).replace(TYPE_PLACEHOLDER, exposure_type)
    return number_blocks(text, lambda number: str(first_block + number))
