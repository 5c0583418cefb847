"""Settings, tables and associations of every kind of text: read, or refused in a sentence."""

import codecs
import json
import math
from pathlib import Path

import pytest

from exp_to_source.errors import InputError
from exp_to_source.sources.associations import read_association
from exp_to_source.sources.catalog import read_catalog
from exp_to_source.sources.join_table import read_joins
from exp_to_source.workflow.configuration import check_configuration, read_configfile
from exp_to_source.workflow.inputs import expand_items, find_exposures, find_table

KEYS = ("exposures", "group_by", "sources", "min_exposures", "catalog", "demo")

#: Values that no key has, or that are not what they seem.
VALUES = (
    *("&a [*a]", "&a {b: *a}", "&a [x, *a]", "&a [[*a]]", "[[a]]"),
    *("{a: " * 400 + "}" * 400, "[" * 100 + "]" * 100, ".nan", "-.inf", "2020-01-01", "1e400"),
    *("9" * 5000, "!!binary aGVsbG8=", "!!binary x", "!!timestamp x", "!!bool x", "!!int x"),
    *("!!set {a}", "!!python/object:os.system x", "*gone", "[a, null]", "{1: 2}", "? [a]\n: b"),
    *("'a\\0b'", '"\\0"', '"\\ud800"', "\t- a", "'a", "<<: 5", "a: b: c", "@x", "!x y", "''"),
)  # fmt: skip

#: Files that are not a line of a key and a value.
FILES = (
    *(b"", b"\n# x\n", b"\0", b"5", b"[]", b"null", b"[" * 9000, b"demo: \xe9\n", b"\xe9: 1\n"),
    *("demo: true".encode("utf-16"), b"? [a]\n: b\n", b"? &a [*a]\n: x\n", b".nan: 1\n"),
    # Whatever the key, it is not parsed, which takes a second.
    b"sources: " + b"[" * 3000 + b"]" * 3000,
    *(b"<<: &a [*a]\n", b"x" * 9000 + b": 1\n", b'{\n\t"group_by": "x"\n}', b"---\na: 1\n---\n"),
    *(b'{"demo": ' + b"[" * depth + b"]" * depth + b"}" for depth in (200, 900, 990, 3000)),
    *(b'{"demo": NaN}', b'{"\\ud800": 1}', b'{"exposures": "\\ud800"}', b"2020-01-01: x\n"),
)  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [*(f"{key}: {value}\n".encode() for value in VALUES for key in KEYS), *FILES],
    ids=lambda content: content[:30].decode("latin-1").encode("unicode_escape").decode(),
)
def test_odd_settings_end_in_a_sentence(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    Path("my.yaml").write_bytes(content)
    try:
        # What a run does with settings before it looks at exposures.
        config = read_configfile("my.yaml")
        check_configuration(config, ["my.yaml"])
        find_exposures(expand_items("exposures", config["exposures"]))
        find_table("catalog", config["catalog"])
    except InputError as error:
        assert "\n" not in str(error) and len(str(error)) < 1200
        str(error).encode()


def test_places_of_odd_values(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text("demo: true\nmin_exposures: .nan\n")
    with pytest.raises(InputError, match=r"my.yaml, line 2: min_exposures cannot be nan"):
        check_configuration({"demo": True, "min_exposures": math.nan}, [str(path)])
    path.write_text('{\n\t"demo": true\n}')
    assert read_configfile(str(path)) == {"demo": True}


def test_texts_that_spreadsheets_write(tmp_path):
    """They begin with a mark, and lines end in two characters."""

    def read_target(path: str) -> str:
        return read_joins(path).rows[0].target

    ecsv = "# %ECSV 1.0\n# ---\n# datatype: [{name: id, datatype: int64}]\nid\n61\n"
    for name, text, read, expected in (
        ("my.yaml", "demo: true\r\n", read_configfile, {"demo": True}),
        ("a.csv", "id,x\r\n61,\u00e9\r\n", read_catalog, [61]),
        ("a.tsv", "id\tx\r\n61\t\u00e9\r\n", read_catalog, [61]),
        ("a.ecsv", ecsv, read_catalog, [61]),
        ("j.csv", "source_id,target\r\n62,61\r\n", read_target, "61"),
        ("j.tsv", "source_id\ttarget\r\n62\t61\r\n", read_target, "61"),
        ("j.yaml", "- {source_id: 62, target: 61}\n", read_target, "61"),
    ):
        path = tmp_path / name
        path.write_bytes(codecs.BOM_UTF8 + text.encode())
        assert read(str(path)) == expected, name


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_texts_in_other_encodings(tmp_path, encoding):
    for name, text, read in (
        ("my.yaml", "exposures: caf\u00e9\n", read_configfile),
        ("a.csv", "id,x\n61,\u00e9\n", read_catalog),
        ("a.tsv", "id\tx\n61\t\u00e9\n", read_catalog),
        ("j.csv", "source_name,target\n\u00e9,61\n", read_joins),
        ("j.yaml", "- {source_name: \u00e9, target: 61}\n", read_joins),
        ("x_asn.json", '{"asn_type": "sp\u00e9c3"}', read_association),
    ):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        with pytest.raises(InputError, match=rf"{name}: not a (text in|JSON file)"):
            read(str(path))


def test_home_in_paths(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "a_cal.fits"
    path.touch()
    (tmp_path / "t.csv").touch()
    (tmp_path / "sources.tsv").touch()
    given = ["~/a_cal.fits", "~", "~/*.fits"]
    assert find_exposures(expand_items("exposures", given)) == [str(path)] * 3
    assert find_table("catalog", "~/t.csv") == str(tmp_path / "t.csv")
    with pytest.raises(InputError, match="tsv' is written by each run; copy it"):
        find_table("catalog", f"{tmp_path}/sources.tsv", results=str(tmp_path))
    with pytest.raises(InputError, match="does not exist"):
        find_exposures(["~nobody_has_this_name/x_cal.fits"])


def test_whole_numbers_are_integers_however_they_are_written(tmp_path):
    config = {"sources": [59.0, "60.0", 61], "min_exposures": 2.0, "source_id_digits": 9.0}
    check_configuration(config)
    assert repr(config["sources"]) == "[59, '60.0', 61]"
    assert repr(config["min_exposures"]) == "2" and repr(config["source_id_digits"]) == "9"
    for bad in ({"sources": 59.5}, {"sources": [float("inf")]}, {"sources": True},
                {"min_exposures": float("inf")}, {"min_exposures": True}):  # fmt: skip
        with pytest.raises(InputError, match=f"{next(iter(bad))}.* cannot be "):
            check_configuration(bad)


@pytest.mark.parametrize(
    ("text", "number"),
    [("sources: 073", "059"), ("sources:\n- 1\n- [00061]", "49"), ("exclude: -07_3", "-59")],
)
def test_octal_numbers_are_not_meant(tmp_path, text, number):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    written = text.split()[-1].strip("[]")
    line = 1 + text.count("\n")
    sentence = f"line {line}: YAML reads {written} as the octal number {int(number)}; write it"
    with pytest.raises(InputError, match=sentence):
        read_configfile(str(path))


def test_texts_with_zeros_are_no_octal_numbers(tmp_path):
    path = tmp_path / "config.yaml"
    settings = {"sources": ["073", "089", 0, "b00045"], "exposures": "x/001/jw01_007.fits"}
    path.write_text(f"# 073\n{json.dumps(settings)[1:-1]}".replace(', "exp', '\n"exp'))
    assert read_configfile(str(path)) == settings
