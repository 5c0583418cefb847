"""Metadata of slits that repeats the exposure's is not read, and not missed."""

import pytest
import yaml

from exp_to_source.errors import InputError
from exp_to_source.formats.template import META_PLACEHOLDER, apply_replacements
from exp_to_source.index.nodes import value_at
from exp_to_source.index.reader import UnusualLayoutError
from exp_to_source.index.repeated import ReducedText
from exp_to_source.index.tree import parse

HEAD = "#ASDF 1.0.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n"
META = """\
meta:
  date: '2026'
  dither: {nod: 1}
  exposure:
    type: NRS_MSASPEC
    list:
    - - 1
  shared: &id001 [1]
"""
SLIT = """\
- name: '1'
  data: [1]
  meta:
    date: '2026'
    dither: {nod: 1}
    exposure:
      type: NRS_MSASPEC
      list:
      - - 1
    other: é
    wcs: x
  source_id: 7
"""
TREE = f"{HEAD}{META}slits:\n{SLIT}{SLIT.replace('{nod: 1}', '{nod: 2}')}...\n"


def fragments(text: str) -> list[str]:
    """Templates of all slits."""
    slits = parse(text, "some.fits", []).slits
    return [apply_replacements(text[s.start : s.end], s.replacements) for s in slits]


def test_lines_are_cut_where_they_are_equal():
    reduced = ReducedText(TREE, {"wcs"})
    assert [cut.keys for cut in reduced.cuts.values()] == [
        ["date", "dither", "exposure"],
        ["date"],
        ["exposure"],
    ]
    assert reduced.text.count("NRS_MSASPEC") == 1
    assert [reduced.original(reduced.text.index(word)) for word in ("meta", "é", "...")] == [
        TREE.index(word) for word in ("meta", "é", "...")
    ]
    assert not ReducedText(TREE, {"wcs", "date", "dither", "exposure"}).cuts


def test_slits_are_those_of_the_whole_text():
    first = "- name: '1'\n  data: [1]\n  meta:\n    other: é\n    wcs: x\n  source_id: 7\n"
    first = first.replace("    other", f"{META_PLACEHOLDER}    other")
    assert fragments(TREE) == [first, first]
    # The same with values that are spelled in another way, so that they are read.
    assert fragments(TREE.replace("    date: '2026'", '    date: "2026"')) == [first, first]
    slits = parse(TREE, "some.fits", []).slits
    assert [value_at(slit.node, "meta.exposure.type") for slit in slits] == ["NRS_MSASPEC"] * 2
    assert [value_at(slit.node, "meta.dither.nod") for slit in slits] == [1, 2]


@pytest.mark.parametrize("key", ["date", "'date'"])
def test_repeated_keys_are_noticed(key: str):
    with pytest.raises(UnusualLayoutError):
        parse(TREE.replace("    other: é\n", f"    {key}: '2026'\n"), "some.fits", [])


LOOKALIKE = "a: 'b\n{0}date: 2026\n{0}c: d'"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # In a slit, of which it is all that looks like that key.
        ("    date: 2026\n", f"    {LOOKALIKE.format('    ')}\n"),
        # In the exposure's metadata, which has another value.
        ("meta:\n  date: 2026\n", f"meta:\n  date: 1\n  {LOOKALIKE.format('  ')}\n"),
    ],
)
def test_text_that_looks_like_metadata_is_read(old: str, new: str):
    text = f"{HEAD}{META}slits:\n{SLIT}...\n".replace("'2026'", "2026").replace(old, new)
    assert any("date" in cut.keys for cut in ReducedText(text, {"wcs"}).cuts.values())
    (slit,) = parse(text, "some.fits", []).slits
    meta = yaml.safe_load(text.replace("!core", "#"))["slits"][0]["meta"]
    assert value_at(slit.node, "meta.date") == meta.get("date")
    assert value_at(slit.node, "meta.a") == meta.get("a")


def test_errors_name_the_line_of_the_whole_text():
    damaged = TREE.replace("source_id: 7\n...", "source_id: [7\n...")
    with pytest.raises(InputError, match=f"damaged at its line {TREE.count(chr(10))} "):
        parse(damaged, "some.fits", [])
