"""Fragments of a tree mean what the tree means."""

import pytest
import yaml

from exp_to_source.errors import InputError
from exp_to_source.formats.template import META_PLACEHOLDER, apply_replacements, fill_placeholders
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


def entry_of(slit, text: str, number: int, first_block: int, common: dict[str, str]):
    """Entry of a product, as nodes."""
    lines = "".join(f"    {k}: {v}\n" for k, v in common.items() if k not in slit.overrides)
    fragment = apply_replacements(text[slit.start : slit.end], slit.replacements)
    fragment = fragment.replace(META_PLACEHOLDER, lines)
    return yaml.compose(HEAD + fill_placeholders(fragment, number, first_block, "X") + "...\n")


def plain(node):
    """Tags and content of a node, as tuples."""
    if isinstance(node, yaml.ScalarNode):
        return node.tag, node.value
    if isinstance(node, yaml.SequenceNode):
        return node.tag, tuple(map(plain, node.value))
    return node.tag, {plain(key): plain(value) for key, value in node.value}


def at(node, *path):
    for key in path:
        if isinstance(key, int):
            node = node.value[key]
        else:
            node = next(value for name, value in node.value if name.value == key)
    return node


def test_slits_become_self_contained_fragments():
    tree = parse(HEAD + TREE, "x", [1 << 20] * 3)
    whole = yaml.compose(HEAD + TREE)
    assert [a.name for s in tree.slits for a in s.arrays] == ["SCI", "SCI"]
    assert [a.shape for s in tree.slits for a in s.arrays] == [(2, 3), (5,)]
    assert [slit.blocks for slit in tree.slits] == [[2], [2]]
    for number, slit in enumerate(tree.slits):
        entry = entry_of(slit, HEAD + TREE, 7, 40, tree.exposure_metadata).value[0]
        expected = plain(at(whole, "slits", number, "meta", "wcs"))
        lookup = plain(at(entry, "meta", "wcs", "lookup", "source"))
        assert lookup == ("tag:yaml.org,2002:int", "40")
        actual = repr(plain(at(entry, "meta", "wcs"))).replace("'40'", "'2'")
        assert actual == repr(expected)
        assert plain(at(entry, "data", "source")) == ("tag:yaml.org,2002:str", "fits:SCI,7")
        assert plain(at(entry, "name")) == plain(at(whole, "slits", number, "name"))
        assert at(entry, "meta", "wcsinfo").value
        assert plain(at(entry, "meta", "shared")) == plain(at(whole, "meta", "shared"))


def test_metadata_of_the_exposure_is_merged_over_the_slits():
    tree = parse(HEAD + TREE, "x", [1 << 20] * 3)
    first, second = (
        entry_of(slit, HEAD + TREE, 1, 0, tree.exposure_metadata).value[0] for slit in tree.slits
    )
    assert len({key.value for key, _ in at(first, "meta").value}) == len(at(first, "meta").value)
    assert at(first, "meta", "exposure", "only").value == "here"
    assert at(first, "meta", "exposure", "type").value == "X"
    assert at(first, "meta", "exposure", "nints").value == "1"
    assert at(first, "meta", "date").value == "kept"
    assert [key.value for key, _ in at(second, "meta", "exposure").value] == ["type", "nints"]


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
