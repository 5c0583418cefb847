"""Numbers of a choice that may be ids or, without their underscores, names."""

import pytest

from exp_to_source.errors import InputError
from exp_to_source.sources.choosing import SourceFilter, choose
from exp_to_source.sources.source_list import Source


def source(number: int, name: str) -> Source:
    return Source(f"jw00006-o001_s{number:05d}_miri_p750l", number, "s", name, exposures=3)


SOURCES = [source(61, "6_61"), source(661, "6_661"), source(5, "77")]


def made(*items: str) -> list[int]:
    left_out, _ = choose(SOURCES, SourceFilter(sources=items))
    return [source.source_id for source in SOURCES if source.product not in left_out]


def test_number_that_is_an_id_and_another_source_without_its_underscore():
    with pytest.raises(InputError, match=r"'661' .* the name '6_61'; write s661 or name:6_61"):
        made("661")


@pytest.mark.parametrize(
    ("item", "number"),
    [("s661", 661), ("name:6_61", 61), ("61", 61), ("6661", 661), ("6_61", 61), ("5", 5)],
)
def test_others_are_clear(item: str, number: int):
    assert made(item) == [number]


def test_names_without_an_underscore_are_no_other_numbers():
    both = [*SOURCES, source(77, "x")]
    left_out, _ = choose(both, SourceFilter(sources=("77",)))
    assert [s.source_id for s in both if s.product not in left_out] == [77]
