"""Pieces of text that are completed only when a product is written.

Edits turn the text of a slit, as it stands in its exposure, into a *fragment* with *marks* in
place of everything that depends on the product. Headers have marks, too. Marks are control
characters, which YAML and FITS cards forbid, so that no text of a file can be taken for one.
"""

import json
import re
from collections.abc import Sequence

#: The number of the entry within the product: part of every anchor's name; in a header, the EXTVER
#: card.
ENTRY_MARK = "\x01"
#: Followed by a number and a semicolon: an internal block, counted within the entry.
BLOCK_MARK = "\x02"
#: The exposure's metadata, as lines of the entry's own.
META_MARK = "\x03"
#: The exposure type of the slit.
TYPE_MARK = "\x04"
#: Within a tag, before its name: what newer ASDF standards call otherwise (see `standards`).
TAG_MARK = "\x05"
#: In a header: the exposure's own cards, which a product's first entry has.
CARDS_MARK = "\x06"
#: In an index, followed by a number: a text that several records share.
SHARED_MARK = "\x07"

#: A mark of a block, whole.
MARKED_BLOCK = re.compile(f"{BLOCK_MARK}([0-9]+);")

#: Place in the text, length of what is replaced, replacement.
Edit = tuple[int, int, str]


def quoted(text: str) -> str:
    """Text as a YAML scalar in one line: JSON, and what YAML has no place for escaped."""
    literal = json.dumps(text, ensure_ascii=False)
    if literal.isprintable():
        return literal
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in literal)


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """Replace parts of a text; the edits are in order and do not overlap."""
    parts: list[str] = []
    last = 0
    for place, length, replacement in edits:
        parts += (text[last:place], replacement)
        last = place + length
    parts.append(text[last:])
    return "".join(parts)


def fill_marks(fragment: str, entry: int, first_block: int, exposure_type: str) -> str:
    """Put numbers in place of the marks of a fragment.

    Parameters
    ----------
    fragment : str
        Text with marks; a META_MARK must have been replaced already.
    entry : int
        Number of the entry, from 1.
    first_block : int
        Number, in the product, of the entry's first internal block.
    exposure_type : str
        YAML text of the entry's exposure type.
    """
    text = fragment.replace(ENTRY_MARK, str(entry)).replace(TYPE_MARK, exposure_type)
    return MARKED_BLOCK.sub(lambda match: str(first_block + int(match[1])), text)
