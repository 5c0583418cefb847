"""Fragments of a tree, and trees that cannot be cut into any."""

import pytest

from exp_to_source.errors import InputError
from exp_to_source.formats.template import apply_replacements
from exp_to_source.index.reader import UnusualLayoutError
from exp_to_source.index.tree import parse

HEAD = "#ASDF 1.0.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n"
TREE = """\
_fits_hash: abc
meta:
  date: kept
  exposure: {type: NRS_MSASPEC, nints: 1}
  filename: one.fits
  shared: &id001 [-1, 1]
slits:
- !core/asdf-1.1.0
  data: !core/ndarray-1.1.0 {source: 'fits:SCI,1', shape: [2, 3]}
  meta:
    date: gone
    exposure: {type: NRS_FIXEDSLIT, only: here}
    wcs: &id002 !transform/x-1.0.0
      lookup: &id003 !core/ndarray-1.1.0
        source: 2
        datatype: int8
        byteorder: big
        shape: [9]
      again: *id003
      window: *id001
      deep:
      - - &id004 {a: *id001, b: 'true', c: "\\xE9"}
    wcsinfo: {crval1: 1.0}
  name: '1'
- !core/asdf-1.1.0
  data: !core/ndarray-1.1.0
    source: fits:SCI,4
    shape: [5]
  meta:
    wcs: *id002
    wcsinfo:
      text: |
        two
          lines
  name: é
...
"""


def test_fragments_do_not_depend_on_the_place_of_a_slit():
    text = HEAD + TREE
    first = parse(text, "x", [1 << 20] * 3).slits[0]
    moved = text.replace("slits:\n", "slits:\n- data: &id009 [1]\n  meta: {}\n")
    moved = moved.replace("SCI,1", "SCI,2").replace("source: 2", "source: 0")
    again = parse(moved, "x", [1 << 20] * 3).slits[1]
    assert apply_replacements(
        text[first.start : first.end], first.replacements
    ) == apply_replacements(moved[again.start : again.end], again.replacements)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("%TAG ! tag:stsci.edu:asdf/", "%TAG ! tag:elsewhere/"),
        ("slits:\n- !core/asdf-1.1.0", "slits: [] #"),
        ("  filename: one", "    filename: one"),
    ],
)
def test_unusual_or_damaged_layouts_are_noticed(old: str, new: str):
    with pytest.raises((UnusualLayoutError, InputError)):
        parse((HEAD + TREE).replace(old, new), "x", [1 << 20] * 3)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("*id003", "*id999", "alias without its node"),
        ("&id004", "&id003", "defines the anchor id003 twice"),
        ("source: 2", "source: 3", "uses block 3, but has 3"),
        ("source: 2", "source: http://x/y.asdf", "array that lies elsewhere"),
        ("int8", "int9", "array of unknown datatype int9"),
        ("byteorder: big", "byteorder: bog", "array of unknown byteorder bog"),
        ("shape: [9]", "shape: [-9]", "shape is not a list of integers"),
        ("shape: [9]", "shape: 1e400", "shape is not a list of integers"),
        ("shape: [9]", "shape: [1024, 1025]", "larger than its block"),
        ("wcs: &id002", "wcs: [&id002", "the ASDF tree is damaged at its line"),
        ("[-1, 1]", "[" * 300 + "]" * 300, "nested too deeply"),
    ],
)
def test_damage_is_reported_in_a_sentence(old: str, new: str, sentence: str):
    with pytest.raises(InputError, match=sentence) as caught:
        parse((HEAD + TREE).replace(old, new), "some.fits", [1 << 20] * 3)
    assert str(caught.value).startswith("some.fits: ")
