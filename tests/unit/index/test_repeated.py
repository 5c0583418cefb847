"""Metadata of slits that is like an earlier slit's is not read again, and not missed."""

import pytest
import yaml

from exp_to_source.errors import InputError
from exp_to_source.formats.template import META_PLACEHOLDER, apply_replacements
from exp_to_source.index import tree
from exp_to_source.index.nodes import SlitTree, value_at
from exp_to_source.index.reader import UnusualLayoutError
from exp_to_source.index.repeated import find_cuts
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
    asn: x
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
TREE = f"{HEAD}{META}slits:\n{SLIT}{SLIT.replace('{nod: 1}', '{nod: 2, own: é}')}{SLIT}...\n"

#: WCSs that differ in numbers, blocks and names.
WCS = """\
    wcs: !<tag:stsci.edu:gwcs/wcs-1.4.0>
      name: ''
      offset: {offset}
      box: [-0.5, {offset}]
      model: &{name} !transform/shift-1.4.0
        offset: {offset}
        again: *{shared}
{more}      steps:
      - *{name}
      - *{shared}
      - !core/ndarray-1.1.0
        source: {block}
        datatype: int8
        byteorder: big
        shape: [{size}]
"""


def with_wcs(*values: dict[str, object]) -> str:
    """Return a document of slits whose WCSs have these values besides usual ones."""
    slits = []
    for number, others in enumerate(values):
        usual = {"offset": 10.0**number, "name": f"id9{number}", "shared": "id001"}
        wcs = WCS.format(**usual | {"block": number, "size": 1, "more": ""} | others)
        slits.append(SLIT.replace("    wcs: x\n", wcs))
    return f"{HEAD}{META}slits:\n{''.join(slits)}...\n"


def describe(slits: list[SlitTree], text: str) -> list[object]:
    """Return what an index has of slits: templates, blocks, content."""
    return [
        (apply_replacements(text[s.start : s.end], s.replacements), s.blocks, s.node, s.overrides)
        for s in slits
    ]


def parse_both(
    text: str, monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, ...] = (1,) * 12
) -> list[SlitTree]:
    """Check that slits are those of the whole text, and return them."""
    slits = parse(text, "some.fits", sizes).slits
    with monkeypatch.context() as patch:
        patch.setattr(tree, "find_cuts", lambda text: [])
        assert describe(slits, text) == describe(parse(text, "some.fits", sizes).slits, text)
    return slits


def keys(text: str) -> list[str]:
    return [cut.key for cut in find_cuts(text)]


def test_equal_items_are_cut():
    assert keys(TREE) == [
        *("date", "exposure", "other", "wcs"),
        *("date", "dither", "exposure", "other", "wcs"),
    ]
    # The first item stays, as do those with anchors, aliases and tags.
    assert keys(TREE.replace("    other: é", "    other: *id001")).count("other") == 0
    assert not keys(TREE.replace("    ", "     "))


def test_slits_are_those_of_the_whole_text(monkeypatch: pytest.MonkeyPatch):
    slits = parse_both(TREE, monkeypatch)
    assert [value_at(slit.node, "meta.dither.nod") for slit in slits] == [1, 2, 1]
    assert [slit.overrides for slit in slits] == [[], ["dither"], []]
    own = TREE.replace("{nod: 1}\n    exp", "{nod: 1, own: 1}\n    exp")
    assert [slit.overrides for slit in parse_both(own, monkeypatch)] == [["dither"]] * 3
    first = f"- name: '1'\n  data: [1]\n  meta:\n{META_PLACEHOLDER}    other: é\n"
    text, *_ = describe(slits, TREE)[2]
    assert text == f"{first}    wcs: x\n  source_id: 7\n"
    # Parts that are removed are one, whether they were read or not.
    assert [len(slit.replacements) for slit in slits] == [2, 4, 2]


def test_wcs_that_differ_in_numbers_and_names(monkeypatch: pytest.MonkeyPatch):
    text = with_wcs(
        {}, {"name": "id92000", "block": 10}, {"offset": "-1.5e-07"}, {"offset": ".nan"}
    )
    assert keys(text).count("wcs") == 3
    slits = parse_both(text, monkeypatch)
    assert [slit.blocks for slit in slits] == [[0], [10], [2], [3]]
    # Their nodes, and those of repeated metadata, are those of the first.
    for key in ("wcs", "other", "exposure"):
        assert len({id(slit.node.content["meta"].content[key]) for slit in slits}) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"size": 2},  # which its block must hold
        {"shared": "id90"},  # an alias of another node
        {"offset": "'1'"},
        {"offset": "a b"},
        {"offset": "[1, *id001]"},
        {"more": "        more: 2\n"},
    ],
)
def test_wcs_that_differ_otherwise_are_read(
    values: dict[str, object], monkeypatch: pytest.MonkeyPatch
):
    sizes = (1, 2, 1)
    slits = parse_both(with_wcs({}, values, {}), monkeypatch, sizes)
    assert [slit.blocks for slit in slits] == [[0], [1], [2]]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"block": 12}, "uses block 12, but has 12 of them"),
        ({"block": 1.5}, "an array that lies elsewhere"),
        ({"name": "id90"}, "defines the anchor id90 twice"),
        ({"shared": "id99"}, "an alias without its node"),
        ({"shared": "id91"}, "an alias without its node"),
        ({"block": 11}, "an array that is larger than its block"),
        ({"name": "idé"}, "is damaged at its line 56"),
    ],
)
def test_faults_are_found(values: dict[str, object], sentence: str):
    with pytest.raises(InputError, match=sentence):
        parse(with_wcs({}, values), "some.fits", [1] * 11 + [0])


def test_alias_of_a_node_that_was_not_read(monkeypatch: pytest.MonkeyPatch):
    parse_both(with_wcs({}, {}).replace("source_id: 7\n...", "source_id: *id91\n..."), monkeypatch)
    parse_both(with_wcs({}, {}, {"shared": "id91"}), monkeypatch)


@pytest.mark.parametrize("key", ["date", "'date'"])
def test_repeated_keys_are_noticed(key: str):
    with pytest.raises(UnusualLayoutError):
        parse(TREE.replace("    other: é\n", f"    {key}: '2026'\n"), "some.fits", [])


@pytest.mark.parametrize("number", [0, 1])
def test_text_that_looks_like_metadata_is_read(number: int):
    """In the slit that is read, or in one whose metadata is cut."""
    slits = [SLIT.replace("'2026'", "2026")] * 2
    lookalike = "    a: 'b\n    date: 2026\n    c: d'\n"
    slits[number] = slits[number].replace("    date: 2026\n", lookalike)
    text = f"{HEAD}{META}slits:\n{''.join(slits)}...\n"
    assert "date" in keys(text)
    read = yaml.safe_load(text.replace("!core", "#"))["slits"]
    for slit, content in zip(parse(text, "some.fits", []).slits, read, strict=True):
        for key in ("date", "a"):
            assert value_at(slit.node, f"meta.{key}") == content["meta"].get(key)


def test_errors_name_the_line_of_the_whole_text():
    damaged = TREE.replace("source_id: 7\n...", "source_id: [7\n...")
    with pytest.raises(InputError, match=f"damaged at its line {TREE.count(chr(10))} "):
        parse(damaged, "some.fits", [])
