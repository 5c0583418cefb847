"""Rows return every text; damaged ones are noticed."""

import io

import pytest

from exp_to_source.formats.rows import decode_rows, encode_rows, read_checked, with_checksum

FIELDS = [
    *("", "a b", "\t", "\n", "\\", "\\t", "\\\t", "\\\\n", "\\N"),
    *("\r\x07\x1f\x85\u2028", "é😀", "\\" * 7),
]


@pytest.mark.parametrize("field", FIELDS)
def test_every_text_comes_back(field: str):
    rows = [[field], ["x", field, ""], [field + field, "y"]]
    text = encode_rows(rows)
    assert decode_rows(text) == rows
    assert text.count(b"\n") == 3 and text.count(b"\t") == 3


@pytest.mark.parametrize("size", ["-1", "99999999", "9" * 40, "", " 4", "+4", "4_0", "4.0"])
def test_a_damaged_size_is_never_read(size: str):
    class File(io.BytesIO):
        def read(self, size=-1):
            assert 0 <= size < 10**7
            return super().read(size)

    text = with_checksum([("a", "1")])
    assert read_checked(File(text)) == {"a": [["1"]]}
    assert read_checked(File(text.replace(b"\t4\n", f"\t{size}\n".encode(), 1))) is None


def test_every_damaged_byte_of_checked_rows_is_noticed():
    text = with_checksum([("a", "1"), ("b", "é")])
    for offset in range(len(text)):
        for flip in (1, 5, 128):
            damaged = text[:offset] + bytes([text[offset] ^ flip]) + text[offset + 1 :]
            assert read_checked(io.BytesIO(damaged)) is None, damaged
        assert read_checked(io.BytesIO(text[:offset])) is None
