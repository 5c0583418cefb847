"""Inputs that lie, each in one way, end in one sentence: which file, what is wrong, what to do."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from limits import limited_memory
from tiny import (
    CARD,
    Edit,
    File,
    Parts,
    at,
    judge,
    parts_of,
    set_card,
    set_tree,
    split,
    write_tiny,
)

from exp_to_source.errors import InputError
from exp_to_source.formats.indices import IndexReader
from exp_to_source.formats.manifests import read_manifest
from exp_to_source.formats.summaries import read_summaries
from exp_to_source.gather.product import gather_source
from exp_to_source.index.indexing import index_exposure
from exp_to_source.naming import is_product_name
from exp_to_source.sources.associations import Association
from exp_to_source.sources.families import GroupingOptions
from exp_to_source.sources.listing import list_sources
from exp_to_source.tables import read_sources

NAME = "jw00009001001_03101_00001_nrs1_cal"
MEMORY = 600 << 20

#: Text that must never become part of a path or of a command.
UNSAFE_NAMES = (
    *("a/b", "..", "../../x", "a b", "$(touch x)", 'a"b', "a\\b", "*", "{source_id}", "{0}"),
    *("-rf", "a\tb", "\u00e9", "x" * 300),
)  # fmt: skip


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """Parts of a sound exposure."""
    return split(write_tiny(tmp_path_factory.mktemp("tiny") / f"{NAME}.fits"))


@pytest.fixture
def bounded_memory() -> Iterator[None]:
    """Little memory, so that bombs fail."""
    with limited_memory(MEMORY):
        yield


def index(folder: Path, content: bytes, name: str = NAME) -> str:
    """Write an exposure, and its index."""
    path = folder / f"{name}.fits"
    path.write_bytes(content)
    indices = folder / "results" / "index" / f"{name}.txt"
    index_exposure(str(path), str(indices))
    return str(indices)


def products(folder: Path, *indices: str, associations: Any = (), **options: str) -> list[str]:
    """List the sources of indices; names of the products."""
    results = folder / "results"
    table = str(results / "sources.tsv")
    list_sources(indices, table, list(associations), GroupingOptions(**options))
    return list(read_sources(table))


def gather(folder: Path, name: str) -> Path:
    """Gather a product that was listed."""
    results = folder / "results"
    product = results / "products" / f"{name}_cal.fits"
    gather_source(str(results / "manifests" / f"{name}.txt"), str(product), str(results / "index"))
    return product


def assert_refused(folder: Path, content: bytes, sentence: str) -> None:
    """Index a bad exposure, which must end in this sentence and leave nothing behind."""
    with pytest.raises(InputError, match=sentence) as caught:
        index(folder, content)
    assert str(caught.value).startswith(str(folder / f"{NAME}.fits"))
    assert "\n" not in str(caught.value)
    assert not list(folder.rglob("*.txt*")) and not list(folder.rglob(".*"))


def assert_harmless(folder: Path, content: bytes) -> None:
    """Regroup an odd exposure, which must give right products."""
    names = products(folder, index(folder, content))
    assert len(names) == 2
    for number, name in enumerate(names):
        judge(gather(folder, name), [(f"{NAME}.fits", content, number)])


def edited(parts: Parts, *edits: Edit, **options: bool) -> bytes:
    """Exposure with parts changed by hand."""
    parts = parts.copy()
    for edit in edits:
        edit(parts)
    return parts.join(**options)


def put(hdu: int, keyword: str, value: str) -> Edit:
    return set_card(hdu, f"{keyword:8}= {value}")


def with_text(parts: Parts, old: str, new: str, *, count: int = 1) -> bytes:
    """Exposure whose YAML document says something else."""
    assert old in "\n".join(parts.lines)
    lines = "\n".join(parts.lines).replace(old, new, count).split("\n")
    return replace(parts, lines=lines).join()


# What is no exposure at all.


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty file"),
        (b"hello\n" * 1000, "not a FITS file"),
        (b"SIMPLE  =                    T", "truncated in the header"),
        (gzip.compress(b"x" * 100, mtime=0), "a gzip file, unpack it"),
        (b"\x89HDF\r\n\x1a\n" + bytes(5000), "not a FITS file"),
    ],
)
def test_no_fits_file(tmp_path, content, sentence):
    assert_refused(tmp_path, content, sentence)


def test_folder_or_nothing_in_place_of_an_exposure(tmp_path):
    for path in (tmp_path, tmp_path / "none.fits"):
        with pytest.raises(InputError, match="no such file"):
            index_exposure(str(path), str(tmp_path / "x"))


@pytest.mark.parametrize(
    ("keyword", "value", "kind"),
    [
        ("DATAMODL", "'SpecModel'", r"SpecModel \(NRS_MSASPEC\)"),
        ("EXP_TYPE", "'MIR_LRS-FIXEDSLIT'", r"MultiSlitModel \(MIR_LRS-FIXEDSLIT\)"),
    ],
)
def test_other_kinds_of_products(tmp_path, parts, keyword, value, kind):
    content = edited(parts, put(0, keyword, value))
    assert_refused(tmp_path, content, rf"holds {kind}; only .* can be regrouped; leave it out")


def test_a_plain_image(tmp_path):
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(tmp_path / "x.fits")
    assert_refused(tmp_path, (tmp_path / "x.fits").read_bytes(), "holds no data model; only")


# What is damaged.


def test_truncated_anywhere(tmp_path, parts):
    whole = parts.join()
    document = whole.index(b"#ASDF")
    block = whole.index(b"\xd3BLK")
    # The padding at the end is not needed.
    sizes = {*range(100, len(whole.rstrip(b"\0")), 1440), document + 3, document + 500}
    for size in sizes | {block + 2, block + 30, block + 60}:
        # At the end of an HDU nothing seems to be missing but the ASDF extension.
        assert_refused(tmp_path, whole[:size], "truncated|damaged|no ASDF extension")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda p: p.hdus.pop(), "has no ASDF extension"),
        (lambda p: p.hdus.pop(1), "slit 1 names SCI,1, which is missing"),
        (lambda p: p.hdus.insert(2, (p.hdus[1][0], bytes(2880))), "SCI,1 occurs twice"),
        (put(3, "EXTVER", "9"), "slit 2 names SCI,2, which is missing"),
        (put(3, "EXTVER", "-2"), "slit 2 names SCI,2, which is missing"),
        (put(3, "EXTVER", "1"), "SCI,1 occurs twice"),
        (put(3, "EXTVER", "'2'"), "damaged header .EXTVER is '2'"),
        (put(3, "EXTVER", ""), "damaged header .EXTVER is None"),
        (put(1, "NAXIS1", "1"), "SCI,1 has shape"),
        (put(1, "XTENSION", "'BINTABLE'"), "SCI,1 is not an image"),
        (put(1, "EXTNAME", "'SCIENCE'"), "names SCI,1, which is missing"),
        (put(1, "BITPIX", "-33"), "damaged header .BITPIX is -33"),
        (put(1, "BITPIX", "-32.0"), "damaged header .BITPIX is -32.0"),
        (put(0, "NAXIS", "1"), "damaged header .NAXIS1 is None"),
        (put(0, "SIMPLE", "F"), "damaged header .SIMPLE is not T"),
        (put(1, "BZERO", "1:2"), "damaged header .'BZERO .* is not a card"),
        (put(1, "SRCNAME", "'\n'"), "non-printable characters"),
    ],
)
def test_damaged_headers(tmp_path, parts, change, sentence):
    assert_refused(tmp_path, edited(parts, change, true_hash=True), sentence)


def test_two_trees(tmp_path, parts):
    whole = parts.join()
    extension = whole[whole.rindex(b"XTENSION") :]
    assert_harmless(tmp_path, whole + extension)
    other = whole + extension.replace(b"name: '1'", b"name: '2'")
    with pytest.raises(InputError, match="2 ASDF extensions with different content"):
        index(tmp_path, other)


@pytest.mark.parametrize("true_hash", [True, False])
def test_cards_that_occur_twice(tmp_path, parts, true_hash):
    def edit(parts: Parts) -> None:
        cards, _ = parts.hdus[0]
        cards += [cards[-1], b"NINTS   =                  999".ljust(CARD)]

    assert_harmless(tmp_path, edited(parts, edit, true_hash=true_hash))


@pytest.mark.parametrize(
    ("hdu", "cards"),
    [
        (1, {"NAXIS1": "1000000000000000000"}),
        (1, {"NAXIS1": "9" * 60, "NAXIS2": "9" * 60}),
        (1, {"PCOUNT": "1000000000000000000"}),
        (1, {"GCOUNT": "1000000000000000000"}),
        (5, {"NAXIS1": "1000000000000000000"}),
        (1, {"NAXIS": "999"} | {f"NAXIS{n}": "9" * 60 for n in range(1, 1000)}),
        (1, {"NAXIS": "1000000000000000000"}),
    ],
)
def test_headers_that_claim_too_much(tmp_path, parts, bounded_memory, hdu, cards):
    content = edited(parts, *(put(hdu, *card) for card in cards.items()), true_size=False)
    assert_refused(tmp_path, content, "truncated|NAXIS3 is None|is not card|of an image")


# What the ASDF tree says.

META = "    bunit_data: MJy\n"
ARRAY = "{source: 1, datatype: int8, byteorder: big, shape: [1]}"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("slits:\n", "slits: []\nrest:\n", "no slits, so it is not a MultiSlitModel"),
        ("slits:\n", "others:\n", "has no slits"),
        ("slits:\n", "slits: 5\nrest:\n", "are not a list"),
        ("fits:SCI,2", "fits:SCI,3", "slit 2 names SCI,3, which is missing"),
        ("fits:SCI,2", "fits:SCI,1", "slit 2 names SCI,1, which is missing or another slit's"),
        ("fits:SCI,2", "fits:DQ,2", "slit 2 has DQ,2 as data, not as dq"),
        ("shape: [1, 2]", "shape: [2, 1]", "SCI,1 has shape .1, 2. in its header and .2, 1. in"),
        ("source: 1", "source: &x 1", "whose source is not plain"),
        ("source: 1", "source: *id001", "whose source is not plain"),
        ("*id002", "*id999", "alias without its node"),
        ("&id002", "&id001", "defines the anchor id001 twice"),
        ("source: 2", "source: 5", "uses block 5, but has 5"),
        ("source: 2", "source: http://x/y.asdf", "array that lies elsewhere"),
        ("        datatype: float64", "        datatype: int9", "of unknown datatype int9"),
        ("        byteorder: little", "        byteorder: bog", "of unknown byteorder bog"),
        ("        shape: [2]", "        shape: [-2]", "shape is not a list of integers"),
        ("        shape: [2]", "        shape: 1e400", "shape is not a list of integers"),
        ("        shape: [2]", "        shape: [1024, 1025]", "larger than its block"),
        ("source_id: 61", "source_id: 6.1", "SOURCEID of slit 1 is 6.1, not an integer"),
        ("source_id: 61", "source_id: x", "SOURCEID of slit 1 is .x., not an integer"),
        ("source_id: 61", "source_id: 0b_", "an invalid number"),
        ("source_id: 61", "source_id: " + "9" * 5000, "an invalid number"),
        ("source_name: '9_61'", r'source_name: "a\nb"', "which is not printable"),
        ("    exposure: {type: NRS_MSASPEC}", "    exposure: {type: MIR_MRS}", "slit 1 is MIR_MRS"),
        ("_fits_hash:", "_fits_hash: 1\n_fits_hash:", "the key _fits_hash twice"),
        ("name: '1'", "name: '1'\n  name: '2'", "the key name twice"),
        ("{nints: 1, ", "{nints: 1, nints: 2, ", "the key nints twice"),
        ("pi_name: Some", f"? {'x' * 2000}\n    : 1\n    pi_name: Some", "a key of 2000 char"),
        ("name: '1'", "name: !a%3Eb '1'", "an invalid tag"),
        ("_fits_hash:", f"cal_logs: !core/ndarray-1.1.0 {ARRAY}\n_fits_hash:", "neither"),
        ("\n...", "\n--- 5\n...", "followed by another document"),
        ("meta:\n", "meta: [\n", "is damaged at its line"),
        ("#ASDF 1.0.0", "#ASDX 1.0.0", "not an ASDF document"),
    ],
)  # fmt: skip
def test_trees_that_lie(tmp_path, parts, old, new, sentence):
    assert_refused(tmp_path, with_text(parts, old, new), sentence)


@pytest.mark.parametrize(
    "text",
    [
        "'a, b'", "[x, ~, y]", r'"\x7f\u2028\uFEFF\0"', ":x", "a?b", "[[]]", "'1'",
        "!x-1.0.0 {y: !z-1.0.0 [1]}", "! 5", "é \U0001f600", ".nan", "-.inf", "12:30", "0x1F",
        "|\n      two\n        lines\n", "\n      - a, b\n      -\n      - [c]\n", "2020-01-01",
    ],
)  # fmt: skip
def test_odd_values_reach_products_as_they_are(tmp_path, parts, text):
    # In the exposure's metadata it is written anew, in the slit's it stays.
    content = with_text(parts, "  proposal:\n", f"  odd: {{}}\n  proposal:\n    odd: {text}\n")
    assert_harmless(tmp_path, content)
    assert_harmless(tmp_path, with_text(parts, META, f"{META}    odd: {text}\n"))
    # With headers edited, the whole document is written anew.
    assert_harmless(tmp_path, edited(split(content), put(0, "TARGNAME", "'x'")))


def test_blocks_that_lie(tmp_path, parts):
    first, block, *rest = parts.blocks
    for place, new, sentence in (
        (0, b"\xd3BLX", "no block where block 1 must begin"),
        (4, b"\0\1", "block 1 has a damaged header"),
        (6, b"\0\0\0\1", "block 1 is a stream"),
        (14, b"\1" * 8, "block 1 ends too early"),
        (22, b"\1" * 8, "block 1 has a damaged header"),
    ):
        changed = block[:place] + new + block[place + len(new) :]
        content = replace(parts, blocks=[first, changed, *rest]).join()
        assert_refused(tmp_path, content, sentence)


def bombs() -> Iterator[tuple[str, str]]:
    """Documents that are small, and huge or deep once their aliases are resolved."""
    lines = ["x0: &x0 [" + ", ".join("ab") + "]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 30)]
    yield "laughs in metadata", "\n".join(f"  {line}" for line in lines)
    yield "long text", f"  a: &a {'x' * 100000}\n  b: [{', '.join(['*a'] * 10000)}]"
    yield "empty lists", f"  a: &a [{', '.join(['[]'] * 5000)}]\n  b: [{', '.join(['*a'] * 5000)}]"
    deep = [f"  a0: &a0 {'[' * 90}{']' * 90}"]
    deep += [f"  a{n}: &a{n} {'[' * 90}*a{n - 1}{']' * 90}" for n in range(1, 200)]
    yield "deep by aliases", "\n".join(deep)
    for name, text in (("lists", "[" * 100000), ("maps", "{a: " * 100000)):
        yield f"deep {name}", f"  a: {text}"
    yield "deep items", f"  a:\n    {'- ' * 100000}"
    yield "deep keys", f"  a:\n    {'? ' * 100000}"


@pytest.mark.parametrize("tagged", [True, False], ids=["usual", "unusual"])
@pytest.mark.parametrize(("name", "text"), list(bombs()), ids=[name for name, _ in bombs()])
def test_bombs(tmp_path, parts, bounded_memory, name, text, tagged):
    content = with_text(parts, "meta:\n", f"meta:\n{text}\n")
    if not tagged:
        content = with_text(split(content), "%TAG ! tag:stsci.edu:asdf/\n", "")
    assert_refused(tmp_path, content, "beyond all bounds|nested too deeply|is damaged|deeply")


@pytest.mark.parametrize("place", ["wcs", "exposure"])
def test_bombs_that_each_slit_sets_off(tmp_path, parts, bounded_memory, place):
    many = ", ".join(["x" * 10000] * 100)
    content = with_text(parts, "  shared:", f"  big: &big {{a: [{many}]}}\n  shared:")
    if place == "exposure":
        lines = [f"      k{n}: *big\n" for n in range(3000)]
        text = META + "    instrument:\n" + "".join(lines)
    else:
        text = f"{META}    more:\n" + "    - *big\n" * 3000
    assert_refused(tmp_path, with_text(split(content), META, text), "beyond all bounds")


# What slits and exposures are called.


def assert_valid_names(folder: Path, content: bytes) -> None:
    """Assert that names of products are valid, or that the exposure is refused."""
    path = index(folder, content)
    try:
        names = products(folder, path)
    except InputError as error:
        assert "is not a valid product name" in str(error) and "\n" not in str(error)
    else:
        assert all(map(is_product_name, names))


#: Lines of metadata that become part of names.
IN_NAMES = [
    "observation: {observation_number: '001', program_number: %s}",
    "observation: {observation_number: %s, program_number: '00009'}",
    "instrument: {filter: F170LP, grating: G235M, name: %s}",
    "instrument: {filter: %s, grating: G235M, name: NIRSPEC}",
    "instrument: {filter: F170LP, grating: %s, name: NIRSPEC}",
    "subarray: {name: %s}",
]


@pytest.mark.parametrize(
    ("template", "text"),
    [*((IN_NAMES[-1], text) for text in UNSAFE_NAMES), *((line, "../x") for line in IN_NAMES)],
)
def test_headers_that_would_escape(tmp_path, parts, template, text):
    parts = parts.copy()
    key = template.partition(":")[0]
    parts.lines = [line for line in parts.lines if not line.startswith(f"  {key}:")]
    parts.lines.insert(parts.lines.index("meta:") + 1, f"  {template % json.dumps(text)}")
    assert_valid_names(tmp_path, parts.join())


@pytest.mark.parametrize("text", [*UNSAFE_NAMES, "a,b", "=1+1", "<b>"])
def test_names_of_sources_and_slits(tmp_path, parts, text):
    text = text.replace("\t", "/")
    content = with_text(parts, "source_name: '9_61'", f"source_name: {json.dumps(text)}")
    names = products(tmp_path, index(tmp_path, content))
    assert names[0] == "jw00009-o001_s000000061_nirspec_f170lp-g235m"
    # Slits are part of names only where they are fixed slits.
    content = with_text(parts, "name: '1'", f"name: {json.dumps(text)}")
    fixed = split(with_text(split(content), "NRS_MSASPEC", "NRS_FIXEDSLIT", count=9))
    exposure_type = put(0, "EXP_TYPE", "'NRS_FIXEDSLIT'")
    assert_valid_names(tmp_path, edited(fixed, exposure_type, true_hash=True))


@pytest.mark.parametrize("number", [10**30, -(10**30), 10**300])
def test_huge_ids(tmp_path, parts, number):
    path = index(tmp_path, with_text(parts, "source_id: 61", f"source_id: {number}"))
    if number < 10**100:
        assert any(str(abs(number)) in name for name in products(tmp_path, path))
    else:
        with pytest.raises(InputError, match="is not a valid product name"):
            products(tmp_path, path)


def test_an_index_given_twice_counts_once(tmp_path, parts):
    path = index(tmp_path, parts.join())
    names = products(tmp_path, path, path)
    manifest = read_manifest(str(tmp_path / "results" / "manifests" / f"{names[0]}.txt"))
    assert len(manifest.slits) == 1


def test_a_slit_whose_exposure_type_is_empty_has_that_of_its_exposure(tmp_path, parts):
    content = edited(parts, set_tree("type: NRS_MSASPEC", "type: ''", "slits:"), true_hash=True)
    name, _ = products(tmp_path, index(tmp_path, content))
    assert fits.getval(gather(tmp_path, name), "EXP_TYPE") == "NRS_MSASPEC"


def test_an_index_that_was_renamed(tmp_path, parts):
    path = Path(index(tmp_path, parts.join()))
    with pytest.raises(InputError, match=r"is the index of .*, renamed"):
        products(tmp_path, str(path.rename(path.with_name("other.txt"))))


@pytest.mark.parametrize("pool", ["pöol.csv", "x" * 200, "a'b", "a\nb", "", None])
def test_odd_pools(tmp_path, parts, pool):
    content = parts.join()
    path = index(tmp_path, content)
    asn = Association("x_asn.json", "{source_id}", [f"{tmp_path}/{NAME}.fits"], [], pool)
    product = gather(tmp_path, products(tmp_path, path, associations=[asn])[0])
    judge(product, [(f"{NAME}.fits", content, 0)])
    # Text that no card can hold is in the tree alone.
    header = fits.getheader(product)
    assert header.get("ASNPOOL") == (pool if pool in ("x" * 200, "a'b") else None)
    assert header["ASNTABLE"] == "x_asn.json"


def test_instruments_are_never_mixed(tmp_path, parts):
    other = NAME.replace("nrs1", "nis")
    second = with_text(parts, "name: NIRSPEC", "name: NIRISS")
    paths = index(tmp_path, parts.join()), index(tmp_path, second, other)
    assert len(products(tmp_path, *paths)) == 4
    members = [f"{tmp_path}/{name}.fits" for name in (NAME, other)]
    asn = Association("x_asn.json", "{source_id}", members, [], None)
    with pytest.raises(InputError, match=r"of several instruments \(NIRISS, NIRSPEC\)"):
        products(tmp_path, *paths, associations=[asn])


# What changes between the steps (random damage: see test_fuzz).


def test_what_is_gone(tmp_path, parts):
    path = Path(index(tmp_path, parts.join()))
    name = products(tmp_path, str(path))[0]
    (tmp_path / f"{NAME}.fits").unlink()
    (tmp_path / f"{NAME}.fits").mkdir()
    with pytest.raises(InputError, match="changed since it was indexed"):
        gather(tmp_path, name)
    path.unlink()
    with pytest.raises(InputError, match="no such index; run again"):
        gather(tmp_path, name)
    assert not list((tmp_path / "results").glob("products/*"))


def test_a_product_needs_a_name_that_its_header_can_hold(tmp_path, parts):
    path = index(tmp_path, parts.join())
    manifest = tmp_path / "results" / "manifests" / f"{products(tmp_path, path)[0]}.txt"
    for name in ("é.fits", "a\nb.fits"):
        with pytest.raises(InputError, match="not a valid name of a FITS file"):
            gather_source(str(manifest), str(tmp_path / name), str(Path(path).parent))


def test_metadata_of_slit_and_exposure_are_merged_key_by_key(tmp_path, parts):
    own = "    exposure: {type: NRS_MSASPEC}"
    content = with_text(parts, META + own, META + own.replace("{", "{only: here, "))
    name, _ = products(tmp_path, index(tmp_path, content))
    meta = at(File(gather(tmp_path, name).read_bytes()).tree, "exposures", 0, "meta")
    keys = [key.value for key, _ in meta.value]
    assert len(keys) == len({*keys})
    assert parts_of(at(meta, "exposure")).keys() == {"nints", "only", "type"}


def digests(folder: Path, content: bytes) -> list[str]:
    """Index an exposure; the digests of its slits."""
    with IndexReader(index(folder, content)) as reader:
        return [summary.digest for summary in read_summaries(reader)]


def test_everything_that_reaches_a_product_changes_its_digest(tmp_path, parts):
    # The type of a slit within an exposure of another type is in no header and no fragment.
    changed = with_text(parts, f"{META}    exposure: {{type: NRS_MSASPEC}}",
                        f"{META}    exposure: {{type: NRS_FIXEDSLIT}}")  # fmt: skip
    (first, second), (other, same) = (digests(tmp_path, c) for c in (parts.join(), changed))
    assert first != other and second == same


def test_digests_do_not_depend_on_the_place_of_a_slit(tmp_path, parts):
    text = "\n".join(parts.lines)
    text = re.sub(r"fits:(\w+),(\d)", lambda match: f"fits:{match[1]},{int(match[2]) + 1}", text)
    new = (
        "slits:\n- data: !core/ndarray-1.1.0 "
        "{source: 'fits:SCI,1', datatype: float32, byteorder: big, shape: [1, 2]}\n"
        "  meta: {wcs: &id009 [1]}\n  name: '1'\n  source_id: 61\n  source_name: '9_61'\n"
    )
    hdus = [*parts.hdus[:2], *parts.hdus[1:]]
    moved = replace(parts, hdus=hdus, lines=text.replace("slits:\n", new).split("\n"))
    versions = [put(hdu, "EXTVER", f"{1 + hdu // 2:>20}") for hdu in range(2, 6)]
    *_, expected = digests(tmp_path, parts.join())
    assert digests(tmp_path, edited(moved, *versions, true_hash=True))[2] == expected
