"""Names, made and taken apart."""

import pytest

from exp_to_source.naming import (
    MAX_PRODUCT_NAME,
    count_source_digits,
    fill_template,
    format_source,
    group_name,
    is_product_name,
    parse_exposure_name,
    parse_product_name,
    source_type,
)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("jw10006-o010_s00061_nirspec_f170lp-g235m", ("s", 61)),
        ("jw01345-o001_t001-s000000021_nirspec_f290lp-g395h-s200a1-s200a2-sub200a1_cal", ("s", 21)),
        ("jw01345-c1001_v00003-epoch2_nirspec_clear-prism_cal", ("v", -3)),
        ("jw99009-o001_b1234567890_niriss_f140m-gr150c_cal", ("b", 1234567890)),
        ("jw01234-o002_s00005_nircam_f356w-grismr-subgrism256", ("s", 5)),
        ("jw01234-o002_s00005_miri_p750l", ("s", 5)),
        ("", None),
        ("jw10006010001_03101_00001_nrs1", None),
        ("jw10006-o010_61_nirspec_prism", None),
        ("../jw10006-o010_s00061", None),
        ("jw10006-o010_s00061_nirspec_f170lp-g235m/x", None),
        ("jw10006-o010_s00061_nirspec_f170lp\n", None),
    ],
)
def test_names_of_products_are_parsed(name: str, source: tuple[str, int] | None):
    assert parse_product_name(name) == source


#: They need not follow the syntax of the archive.
VALID = (
    *("jw10006-o010_s00061_nirspec_f170lp-g235m", "my_targets_s000000061", "My.Run-s00061"),
    *("s00061", "mosAv00003x", "mos.s00061.x", "s00061" + "x" * (MAX_PRODUCT_NAME - 6)),
    "jw01345-o001_t001-s000000021_nirspec_prism-s200a1",
)
#: They cannot be files.
INVALID = (
    *("", "my_targets", "a_s0061", "../a_s00061", "a/s00061", "..s00061", ".s00061", "-s00061"),
    *("a.._s00061", "s00061..x", "a b_s00061", "a_s00061\n", "\na_s00061", "a_s00061'"),
    *('a"_s00061', "a$HOME_s00061", "a_s00061;x", "a_{x}_s00061", "a_s00061*", "\u00e9_s00061"),
    *("a_s\u0661\u0661\u0661\u0661\u0661", "s00061" + "x" * (MAX_PRODUCT_NAME - 5)),
)


def test_products_need_names_of_files():
    assert [name for name in (*VALID, *INVALID) if is_product_name(name)] == [*VALID]


def test_exposure_names_parse_into_their_fields():
    fields = parse_exposure_name("jw10006010001_03101_00002-seg003_nrs1_mbsub")
    assert fields == ("10006", "010", "001", "03", "1", "01", "00002", "003", "nrs1", "mbsub")
    assert parse_exposure_name("jwst_nod1_cal") is None


@pytest.mark.parametrize(
    ("source_id", "name", "expected"),
    [(61, "", "s00061"), (45, "1345_BKG45", "b00045"), (-7, "1345_VRT7", "v00007"),
     (51, "background_7", "b00051"), (51, "background_galaxy", "s00051"),
     (51, "1345_background_7", "s00051"), (1234567890, "", "s1234567890"), (0, "", "s00000")],
)  # fmt: skip
def test_sources_have_class_and_digits(source_id: int, name: str, expected: str):
    assert format_source(source_type(source_id, name), source_id, 5) == expected


@pytest.mark.parametrize(
    ("version", "digits"),
    [("0.7.0rc2.dev6", 5), ("1.14.0", 5), ("1.15.0", 9), ("1.9.1", 5), ("2.0", 9), ("", 9)],
)
def test_digits_follow_the_pipeline_version(version: str, digits: int):
    assert count_source_digits(version) == digits


@pytest.mark.parametrize(
    ("template", "product", "family"),
    [
        ("jw01345-o066_{source_id}_nirspec_f170lp-g235m",
         "jw01345-o066_s00061_nirspec_f170lp-g235m", "jw01345-o066_nirspec_f170lp-g235m"),
        (
            "jw01345-o001_t001-{source_id}_nirspec_f290lp-g395h-{slit_name}-sub200a1",
            "jw01345-o001_t001-s00061_nirspec_f290lp-g395h-s200a1-s200a2-sub200a1",
            "jw01345-o001_t001_nirspec_f290lp-g395h-sub200a1",
        ),
        ("jw99009-o001_t001_niriss_f140m-gr150c", "jw99009-o001_s00061_niriss_f140m-gr150c",
         "jw99009-o001_t001_niriss_f140m-gr150c"),
        ("jw99009-o001_t001-epoch1_niriss_f140m-gr150c",
         "jw99009-o001_s00061-epoch1_niriss_f140m-gr150c",
         "jw99009-o001_t001-epoch1_niriss_f140m-gr150c"),
        ("jw99009-o001_b00005_niriss_f140m-gr150c", "jw99009-o001_s00061_niriss_f140m-gr150c",
         "jw99009-o001_niriss_f140m-gr150c"),
        ("My.Run-{source_id}", "My.Run-s00061", "My.Run"),
        ("{source_id}_mos", "s00061_mos", "mos"),
        ("{source_id}", "s00061", "sources"),
        ("my_targets", "my_targets_s00061", "my_targets"),
        ("my_t001_targets", "my_t001_targets_s00061", "my_t001_targets"),
        ("obs12345", "obs12345_s00061", "obs12345"),
    ],
)  # fmt: skip
def test_products_and_families_are_named_after_templates(template: str, product: str, family: str):
    assert fill_template(template, "s00061", ["S200A1", "S200A2"]) == product
    assert group_name(template) == family
