"""Metadata of slits that repeats the exposure's, and need not be read.

``extract_2d`` of the jwst package gives each slit a copy of its exposure's metadata, as asdf then
writes it once more, two columns to the right. Products have the exposure's in place of it.
"""

import re
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import NamedTuple

from .nodes import SlitTree

#: A key of the exposure's metadata, and all lines of its value.
_KEY = r"[a-z]\w*"
_ITEM = re.compile(rf"^  ({_KEY}):.*\n(?:  (?: |-[ \n]).*\n|\n)*", re.M)
_NEXT_TOP = re.compile(r"^[^ \n]", re.M)
_LINE_START = re.compile(r"^(?=.)", re.M)
#: The next key of a slit's metadata.
_NEXT_KEY = re.compile(r"    (?! |-[ \n])")


class Cut(NamedTuple):
    """Lines of a slit's metadata that are left out of a document."""

    start: int  #: in the document, in characters
    length: int
    keys: list[str]  #: whose values they are


class ReducedText:
    """A document without the lines of slits that repeat the exposure's metadata.

    `own_keys` are those that are a slit's own, whatever their values; None leaves nothing out.
    Anchors, aliases and tags are not left out, as others may depend on them; nor the last lines of
    a slit's metadata, so that it does not become empty.
    """

    def __init__(self, text: str, own_keys: Container[str] | None = None) -> None:
        #: Keys and lines of the exposure's metadata, as far as its text shows.
        self._items = [] if own_keys is None else _find_items(text)
        #: What is cut before each offset of the reduced text.
        self.cuts: dict[int, Cut] = {}
        parts, end, removed = [], 0, 0
        repeated = {
            key: _LINE_START.sub("  ", lines)
            for key, lines in self._items
            if key not in (own_keys or ()) and not set(lines) & set("&*!")
        }
        for cut in _find_cuts(text, repeated):
            parts.append(text[end : cut.start])
            self.cuts[cut.start - removed] = cut
            end, removed = cut.start + cut.length, removed + cut.length
        self.text = "".join(parts) + text[end:]
        self._offsets = list(self.cuts)
        self._ends = [cut.start + cut.length for cut in self.cuts.values()]

    def fits(self, keys: Iterable[str]) -> bool:
        """Check that the exposure's metadata has these keys, and no text that looks like others."""
        plain = [key for key in keys if re.fullmatch(_KEY, key)]
        return not self.cuts or [key for key, _ in self._items] == plain

    def original(self, offset: int) -> int:
        """Return the offset in the document of an offset in the reduced text."""
        count = bisect_right(self._offsets, offset)
        return offset if count == 0 else offset - self._offsets[count - 1] + self._ends[count - 1]

    def restore(self, slit: SlitTree) -> None:
        """Make the offsets of a slit those of the whole document, where its cuts are replaced."""
        first, last = (bisect_right(self._offsets, offset) for offset in (slit.start, slit.end))
        start = self.original(slit.start)
        replacements = [
            (self.original(slit.start + offset) - start, length, new)
            for offset, length, new in slit.replacements
        ]
        cuts = (self.cuts[offset] for offset in self._offsets[first:last])
        replacements += ((cut.start - start, cut.length, "") for cut in cuts)
        slit.replacements = sorted(replacements, key=lambda replacement: replacement[0])
        slit.start, slit.end = start, self.original(slit.end)


def _find_items(text: str) -> list[tuple[str, str]]:
    """Find the keys of the exposure's metadata, each with its lines."""
    start = text.find("\nmeta:\n") + 1
    end = _NEXT_TOP.search(text, start + 1)
    if not start or not end:
        return []
    return [(item[1], item[0]) for item in _ITEM.finditer(text, start, end.start())]


def _find_cuts(text: str, repeated: Mapping[str, str]) -> Iterator[Cut]:
    """Find lines of the metadata of slits, by key, in order; adjacent ones together."""
    slit = text.find("\nslits:\n") + 1
    if not slit or not repeated:
        return
    while (slit := text.find(" meta:\n", slit) + 1) > 0:
        wcs = text.find("\n    wcs:", slit, text.find("\n- ", slit))
        cut = Cut(slit, 0, [])
        for key, lines in repeated.items():
            start = text.find(lines, cut.start + cut.length, wcs + 1)
            stop = start + len(lines)
            if start < 0 or text[start - 1] != "\n" or not _NEXT_KEY.match(text, stop):
                continue
            if start > cut.start + cut.length:
                if cut.keys:
                    yield cut
                cut = Cut(start, 0, [])
            cut = Cut(cut.start, stop - cut.start, [*cut.keys, key])
        if cut.keys:
            yield cut
