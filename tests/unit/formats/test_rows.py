"""Rows give back every text, and what is damaged is no text."""

import io

import pytest

from exp_to_source.formats.rows import only, read_named_rows, read_rows, rows_text
from exp_to_source.formats.seals import read_sealed, sealed

FIELDS = [
    "",
    "a b",
    "\t",
    "\n",
    "\\",
    "\\t",
    "\\\t",
    "\\\\n",
    "\\N",
    "\r\x07\x1f\x85\u2028",
    "é😀",
    "\\" * 7,
]


@pytest.mark.parametrize("field", FIELDS)
def test_every_text_comes_back(field: str):
    rows = [[field], ["x", field, ""], [field + field, "y"]]
    text = rows_text(rows)
    assert read_rows(text) == rows
    assert text.count(b"\n") == 3 and text.count(b"\t") == 3


def test_rows_by_name():
    rows = read_named_rows(rows_text([("a", "1"), ("b",), ("a", "2", "3")]))
    assert rows == {"a": [["1"], ["2", "3"]], "b": [[]]}
    assert only({"a": [["1"]]}, "a") == "1"
    assert only(rows, "c") == ""


def test_sealed_rows_are_read_and_nothing_after_them():
    text = sealed([("a", "1"), ("b", "2")])
    file = io.BytesIO(text + b"more")
    assert read_sealed(file) == {"a": [["1"]], "b": [["2"]]}
    assert file.read() == b"more"


def test_every_damaged_byte_of_sealed_rows_is_noticed():
    text = sealed([("a", "1"), ("b", "é")])
    for place in range(len(text)):
        for flip in (1, 5, 128):
            damaged = text[:place] + bytes([text[place] ^ flip]) + text[place + 1 :]
            assert read_sealed(io.BytesIO(damaged)) is None, damaged
        assert read_sealed(io.BytesIO(text[:place])) is None
