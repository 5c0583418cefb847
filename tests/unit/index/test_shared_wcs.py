"""WFSS exposures in which all slits have the same objects as steps of their WCS."""

import pytest
from adversity.judge import compare, compare_wcs, read
from eras import DATA, unpack
from jwst_reference import assert_equal_to_jwst, open_quietly, regroup

from exp_to_source.errors import InputError
from exp_to_source.formats.indices import IndexReader
from exp_to_source.formats.template import apply_replacements
from exp_to_source.index.nodes import MAX_SIZE
from exp_to_source.index.normalise import normalise
from exp_to_source.index.tree import parse
from exp_to_source.simulate.exposures import Simulation, simulate

#: A document of slits that share one text.
HEAD = "#ASDF 1.0.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n"
META = "meta:\n  exposure: {type: NRC_WFSS}\nslits:\n"
ARRAY = "source: 0, datatype: int8, byteorder: big, shape: [1]"
FIRST = (
    f"- meta:\n    wcs:\n    - {{own: 1}}\n    - &big !core/ndarray-1.1.0 {{{ARRAY}, a: [%s]}}\n"
)
OTHER = "- meta:\n    wcs:\n    - {own: 1}\n    - *big\n"


def test_files_of_the_pipeline(tmp_path):
    (packed,) = (DATA / "shared_wcs").iterdir()
    paths = [unpack(packed, tmp_path / "exposures", number) for number in (1, 2)]
    products = regroup(paths, tmp_path)
    assert len(products) == 4
    assert_equal_to_jwst(paths, products, tmp_path)


def test_simulated_exposures(tmp_path):
    """The text of the steps is in the file once, and once in the index."""
    options = {"mode": "nircam-wfss", "sources": 3, "exposures": 1, "shape": (4, 7)}
    (own,) = simulate(Simulation(**options), tmp_path / "own")
    (shared,) = simulate(Simulation(**options, shared_wcs=True), tmp_path / "shared")
    assert shared.stat().st_size < own.stat().st_size - 10_000
    pair = [regroup([path], path.parent)[-1] for path in (own, shared)]
    places = compare(*map(read, pair))
    assert [place for place in places if ".meta.date:" not in place] == []
    with open_quietly(pair[0]) as one, open_quietly(pair[1]) as other:
        assert list(compare_wcs(one, other)) == []
    with IndexReader(f"{tmp_path}/shared/index/{shared.stem}.txt") as reader:
        assert len(reader.part("shared")) > 10_000
        assert len(reader.part("layouts")) < 3 * 3000


def test_only_wfss_shares(tmp_path):
    with pytest.raises(InputError, match="slits of mos share no steps"):
        simulate(Simulation(shared_wcs=True), tmp_path)


def test_no_sum_over_slits_is_bounded():
    """Together they stand for a hundred times what one slit may."""
    text = HEAD + META + FIRST % ", ".join(["1.25"] * 200_000) + OTHER * 1000 + "...\n"
    assert 50 * MAX_SIZE < 1_000_000 * 1000
    tree = parse(text, "x", [1 << 20] * 1)
    held = {id(edit[2]) for slit in tree.slits for edit in slit.replacements if len(edit[2]) > 100}
    assert len(tree.slits) == 1001 and len(held) == 1
    first, *_, last = (
        apply_replacements(text[s.start : s.end], s.replacements) for s in tree.slits
    )
    assert abs(len(first) - len(last)) < 100
    # Written anew, the slits share what they shared.
    again = normalise(text, "x", [], "").text
    assert len(again) < 2 * len(text)
    assert len(parse(again, "x", [1 << 20] * 1).slits) == 1001


def test_texts_that_differ_in_each_slit_are_bounded():
    """As many texts as slits, each of a size that one may have."""
    body = ", ".join(["*text"] * 900)
    lines = [f"  b{n}: &b{n} [{n}, {body}]\n" for n in range(40)]
    text = HEAD + "meta:\n  exposure: {type: NRC_WFSS}\n  t: &text " + "x" * 10_000 + "\n"
    text += "".join(lines) + "slits:\n"
    text += "".join(f"- meta:\n    wcs: [*b{n}]\n" for n in range(40)) + "...\n"
    with pytest.raises(InputError, match="beyond all bounds"):
        parse(text, "x", [1 << 20] * 0)
