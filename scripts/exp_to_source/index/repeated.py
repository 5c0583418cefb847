"""Metadata of slits that is like an earlier slit's, and need not be read again.

``extract_2d`` of the jwst package gives each slit a copy of its exposure's metadata, and slits have
the same WCS but for some numbers, the blocks of its arrays, and the names of its anchors.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

#: A key of a slit's metadata, and all lines of its value.
_ITEM = re.compile(r"    ([a-z]\w*):.*\n(?:    (?: |-[ \n]).*\n|\n)*")
_NUMBER = r"-?[0-9.][\w.+-]*"
#: What may vary in a line: the name of an anchor or alias; a value of numbers, of which those that
#: describe an array may not, as it must fit its block.
_VARYING = re.compile(
    r"( *(?:- )*(?:\w+: )?)(?:([&*])[\w-]+|(?<! shape: )(?<! datatype: )(?<=: )"
    rf"(?:{_NUMBER}|\[{_NUMBER}(?:, {_NUMBER})*\])$)(.*)",
    re.ASCII,
)


class Cut(NamedTuple):
    """An item of a slit's metadata that is left out of a document; offsets are in characters."""

    start: int
    end: int
    key: str
    model: tuple[int, int]  #: start and end of the item of an earlier slit that it is like
    #: Where texts of the model have other lengths here: their offsets, and the sum of differences.
    shifts: list[tuple[int, int]]

    def locate(self, offset: int) -> int:
        """Return the offset in the document of what is at an offset in the model."""
        number = bisect_left(self.shifts, (offset - self.model[0],))
        shift = self.shifts[number - 1][1] if number else 0
        return offset - self.model[0] + self.start + shift


def find_cuts(text: str) -> Iterator[Cut]:
    """Find metadata of slits that is like an earlier slit's, as far as the text shows, in order.

    It is equal, without anchors, aliases and tags; or it is a WCS that differs as `find_shifts`
    allows. The first item of each slit stays, so that its metadata does not become empty.
    """
    models: dict[str, tuple[int, int]] = {}
    transforms: dict[int, tuple[tuple[int, int], list[str]]] = {}
    position = text.find("\nslits:\n") + 1
    while position and (position := text.find(" meta:\n", position) + 1):
        start = first = position + len("meta:\n")
        while item := _ITEM.match(text, start):
            position, value, shifts = item.end(), item[0], []
            if item[1] == "wcs":
                lines = value.split("\n")
                model, others = transforms.get(len(lines), (None, lines))
                if model and (found := find_shifts(others, lines)) is not None:
                    shifts = found
                else:
                    model = None
                    transforms[len(lines)] = item.span(), lines
            elif not (model := models.get(value)) and not set(value) & set("&*!"):
                models[value] = item.span()
            if model and start != first:
                yield Cut(start, position, item[1], model, shifts)
            start = position


def find_shifts(model: list[str], lines: list[str]) -> list[tuple[int, int]] | None:
    """Compare the lines of two WCSs: the shifts of a `Cut`, or None if more varies than may."""
    shifts: list[tuple[int, int]] = []
    total = 0
    ends = [0, *accumulate(map(len, model))]
    varying = [n for n, pair in enumerate(zip(model, lines, strict=True)) if pair[0] != pair[1]]
    for number in varying:
        old, new = (_VARYING.fullmatch(text[number]) for text in (model, lines))
        if not old or not new or old.group(1, 2, 3) != new.group(1, 2, 3):
            return None
        if difference := len(new[0]) - len(old[0]):
            total += difference
            shifts.append((ends[number] + number + old.end(1), total))
    return shifts
