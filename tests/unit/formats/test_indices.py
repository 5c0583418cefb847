"""What indices and manifests hold comes back as it was written."""

import io
from pathlib import Path

import pytest
import yaml

from exp_to_source import FORMAT
from exp_to_source.errors import InputError
from exp_to_source.formats.index_writer import find_shared_texts, write_index
from exp_to_source.formats.indices import NUMBER, IndexReader
from exp_to_source.formats.layouts import SlitLayout
from exp_to_source.formats.manifests import encode_manifest, read_manifest
from exp_to_source.formats.summaries import SlitSummary, read_summaries
from exp_to_source.formats.template import number_blocks, quote

DIGEST = "0123456789abcdef" * 2

SUMMARIES = [
    SlitSummary(*fields)
    for fields in (
        (DIGEST, 7, "a\tb\\", "it's", "NRS_MSASPEC", 14, 10**12, (30, 400), (1.66, 3.1415927)),
        (DIGEST[::-1], None, "", "", "NRC_WFSS", 1, 0, (), (), "1.5 -2.0", "POLYGON ICRS  1 2"),
        ("f" * 32, -3, "é", "1", "NRC_WFSS", 1, 0, (2,), (1e-7, 1e20)),
    )
]
LONG = "text with a tab\t, a line\n and a backslash \\, " * 2
LAYOUTS = [
    SlitLayout([], {}, (False, 0, 0), [], [], [], None, None),
    SlitLayout(
        [(2880, 5760, 11520, [(0, 8, "\x06\x01"), (9, 23, LONG)]), (0, 1, 2, [])],
        {1: (800, -64, 0, -32, 0)},
        (True, 3, 4),
        [(0, 1, LONG), (5, 0, ""), (6, 10**10, "\\t\t")],
        [(1, 2), (3, 4)],
        ["date", "a b"],
        {"pool_name": '"x\\ty"', "": ""},
        "NRS_MSASPEC",
    ),
    SlitLayout([(0, 0, 0, [(0, 0, "x")])], {}, (False, 1, 1), [(1, 1, "y")], [], ["own"], {}, ""),
]


def write(folder: Path, reverse: bool = False) -> str:
    """Write an index of these slits."""
    path = str(folder / "x.txt")
    about = {"exposure": "x", "path": "/a\tb\\n/x.fits", "size": 12, "grating": ""}
    slits = list(zip(SUMMARIES, LAYOUTS, strict=True))
    write_index(path, about, {"text": b"abc"}, slits[:: -1 if reverse else 1])
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("several", [True, False])
def test_layouts_come_back(layout: SlitLayout, several: bool):
    shared = find_shared_texts([layout, layout] if several else [layout])
    assert bool(shared) == (several or layout is LAYOUTS[1]) & (LONG in layout.texts())
    data = layout.encode(shared)
    assert vars(SlitLayout.decode(data, list(shared))) == vars(layout)


@pytest.mark.parametrize("reverse", [True, False])
def test_indices_come_back(tmp_path: Path, reverse: bool):
    with IndexReader(write(tmp_path, reverse)) as index:
        assert index.exposure == {
            "format": str(FORMAT), "exposure": "x", "path": "/a\tb\\n/x.fits", "size": "12",
            "grating": "",
        }  # fmt: skip
        assert list(read_summaries(index)) == (SUMMARIES[::-1] if reverse else SUMMARIES)
        for summary, layout in zip(SUMMARIES, LAYOUTS, strict=True):
            assert vars(index.layout(summary.digest)) == vars(layout)
        assert index.layout("e" * 32) is None
        assert index.part("text") == b"abc" and index.text(1, 2) == b"bc"


@pytest.mark.parametrize("number", ["-5", "999999999999", " 40000000000", "x"])
def test_an_offset_outside_the_layouts_is_damage(tmp_path: Path, number: str):
    path = Path(write(tmp_path))
    data = path.read_bytes()
    for field in (0, 1):
        start = data.index(f"\n{'f' * 32} ".encode()) + 34 + field * (NUMBER + 1)
        path.write_bytes(data[:start] + number.rjust(NUMBER).encode() + data[start + NUMBER :])
        with (
            IndexReader(str(path)) as index,
            pytest.raises(InputError, match=r"x\.txt: damaged index; delete the file"),
        ):
            index.layout("f" * 32)


@pytest.mark.parametrize("association", [None, {"pool_name": "a\tb", "table_name": "x_asn.json"}])
def test_manifests_come_back_and_nothing_may_follow(tmp_path: Path, association):
    path = tmp_path / "m.txt"
    slits = [("a", DIGEST), ("b", DIGEST), ("b", DIGEST)]
    content = encode_manifest("m", association, slits, ["n", "o"])
    path.write_bytes(content)
    manifest = read_manifest(str(path))
    assert manifest.product == "m" and manifest.association == (association or {})
    assert manifest.slits == slits and manifest.joined == ["n", "o"]
    for damaged in (content + b"\n", content + content, b"", b"seal\t", content[:-1]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="not a manifest of this version, or damaged"):
            read_manifest(str(path))


@pytest.mark.parametrize(
    "text", ["", "a", '"', "\\", '\\"', "a\tb\nc\r", "\x00\x1f\x7f\x85\xa0\u2028\ufeff", "é😀", "'"]
)
def test_yaml_reads_what_was_quoted(text: str):
    scalar = quote(text)
    assert scalar.isprintable()
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        assert yaml.load(io.StringIO(f"a: {scalar}"), loader) == {"a": text}


def test_blocks_are_numbered():
    assert number_blocks("none", str) == "none"
    assert number_blocks("a\x021;b\x0212;", lambda n: f"<{n + 1}>") == "a<2>b<13>"
    for text in ("\x02", "\x02;", "\x02x;"):
        with pytest.raises(ValueError, match="invalid literal"):
            number_blocks(text, str)
