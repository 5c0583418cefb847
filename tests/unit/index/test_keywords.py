"""The table of keywords is that of the installed data models."""

from update_keywords import TABLE, format_table, read_schemas


def test_table_is_in_step_with_the_schemas():
    assert TABLE.read_text(encoding="utf-8") == format_table(read_schemas())
