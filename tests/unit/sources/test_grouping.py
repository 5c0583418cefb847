"""Sources are told apart, or the run stops."""

import pytest
from astropy.table import Table
from indexed import IDENTITY, associate, exposure, group

from exp_to_source.errors import InputError
from exp_to_source.formats.index_writer import write_index
from exp_to_source.formats.layouts import SlitLayout
from exp_to_source.formats.summaries import SlitSummary
from exp_to_source.naming import is_product_name, parse_product_name
from exp_to_source.sources.associations import Association
from exp_to_source.sources.families import GroupingOptions, IndexedExposure, read_exposures
from exp_to_source.sources.listing import describe_source
from exp_to_source.sources.source_list import write_source_list
from exp_to_source.sources.warnings import find_warnings, note_names

FIXED = {"exposure_type": "NRS_FIXEDSLIT"}


def products_of(*exposures, **options):
    return group(exposures, **options)[1]


def warnings_of(*exposures, **options) -> list[str]:
    families, products, grouping = group(exposures, **options)
    return [text for _, text in find_warnings(products, families, exposures, grouping)]


def test_slits_of_one_source_keep_the_order_of_exposures():
    found = products_of(
        exposure("b", (61, "p_61", "1"), (62, "p_62", "2")),
        exposure("a", (61, "", "1"), (61, "p_61", "3")),
    )
    assert [product.name for product in found] == [
        "jw10006-o010_s00061_nirspec_f170lp-g235m",
        "jw10006-o010_s00062_nirspec_f170lp-g235m",
    ]
    assert [slit.digest for slit in found[0].slits] == ["b-0", "a-0", "a-1"]
    source = describe_source(found[0], b"")
    assert (source.exposures, source.slits, source.planes, source.bytes) == (2, 3, 42, 300)
    assert source.slit_name == "1,3"


@pytest.mark.parametrize(
    ("slits", "version", "options"),
    [
        (("background_4", "10006_BKG4"), "1.14.0", ("auto", "source_id", "source_name")),
        # One slitlet of two MSA configurations, as both are called alike since 1.15.
        (("10006_BKG4", "10006_BKG4"), "1.20.0", ("auto",)),
    ],
)
def test_background_slitlets_of_one_name_are_one_source(slits, version, options):
    for group_by in options:
        exposures = (
            exposure(f"a{n}", (4, name, "4"), version=version) for n, name in enumerate(slits)
        )
        (product,) = products_of(*exposures, group_by=group_by)
        assert [slit.exposure for slit in product.slits] == ["a0", "a1"]


def test_background_slitlets_before_1_15_collide_with_no_source():
    found = products_of(
        exposure("a", (50, "10006_50", "1"), (51, "background_7", "7")),
        exposure("b", (50, "10006_50", "1"), (51, "10006_51", "2")),
    )
    assert [product.name[13:19] for product in found] == ["b00051", "s00050", "s00051"]


# Before 1.15, ids of background were counted in each configuration.
@pytest.mark.parametrize("names", [("one", "other"), ("background_7", "background_9")])
def test_two_names_of_one_id_stop_the_run(names: tuple[str, str]):
    two = [exposure(name, (61, name, name)) for name in names]
    with pytest.raises(InputError) as caught:
        products_of(*two)
    message = str(caught.value)
    assert message.startswith("1 conflict between sources, nothing is written:")
    for name in names:
        assert f"{name} slit {name} (SOURCEID 61, SRCNAME '{name}')" in message
    assert "'group_by: source_id'" in message
    assert len(products_of(*two, group_by="source_id")) == 1
    with pytest.raises(InputError, match="one file name, two groups"):
        products_of(*two, group_by="source_name")


@pytest.mark.parametrize(("name", "kind"), [("one", "s"), ("background_7", "b")])
def test_two_ids_of_one_name_stop_the_run(name: str, kind: str):
    two = exposure("a", (61, name, "1")), exposure("b", (62, name, "2"))
    with pytest.raises(InputError, match="one name, 2 ids"):
        products_of(*two)
    assert len(products_of(*two, group_by="source_id")) == 2
    (joined,) = products_of(*two, group_by="source_name")
    assert joined.name == f"jw10006-o010_{kind}00061_nirspec_f170lp-g235m"


def test_every_conflict_is_listed():
    with pytest.raises(InputError, match="3 conflicts") as caught:
        products_of(exposure("a", *((n, f"{n}-{k}", "1") for n in (1, 2, 3) for k in (1, 2))))
    assert str(caught.value).count("\n- ") == 3


def test_families_differ_in_what_names_them():
    exposures = (
        exposure("a"),
        exposure("b", grating="G395M"),
        exposure("c", observation="11", version="1.19.0"),
        exposure("d", (1, "", "S200A1"), **FIXED, subarray="SUBS200A1"),
        exposure("e", instrument="NIRISS", filter="GR150C", pupil="F140M", grating=""),
    )
    names = [
        "jw10006-o010_s00001_niriss_f140m-gr150c",
        "jw10006-o010_s00001_nirspec_f170lp-g235m",
        "jw10006-o010_s00001_nirspec_f170lp-g235m-s200a1-subs200a1",
        "jw10006-o010_s00001_nirspec_f170lp-g395m",
        "jw10006-o011_s000000001_nirspec_f170lp-g235m",
    ]
    assert [product.name for product in products_of(*exposures)] == names
    names[-1] = names[-1].replace("s000000001", "s00001")
    assert [item.name for item in products_of(*exposures, source_id_digits="5")] == names


def test_associations_are_families_of_their_own():
    asn = Association("x_asn.json", "jw10006-c1001_t001_nirspec_prism-clear", ["a"], [], "pool.csv")
    found = products_of(exposure("a"), exposure("b"), associations=[asn])
    assert [product.name for product in found] == [
        "jw10006-c1001_s00001_nirspec_prism-clear",
        "jw10006-o010_s00001_nirspec_f170lp-g235m",
    ]
    assert found[0].association == {"pool_name": "pool.csv", "table_name": "x_asn.json"}


def test_names_of_associations_that_are_one_file_somewhere_stop_the_run():
    """Upper and lower case are the same for some file systems."""
    pair = [associate("x", "my_run", "a"), associate("y", "MY_run_{source_id}", "b")]
    with pytest.raises(InputError, match="one file name, two groups: my_run_s00001_cal"):
        products_of(exposure("a"), exposure("b"), associations=pair)


def test_names_of_associations_need_no_slits():
    slits = [(1, "x", "S200A1"), (2, "y", "S200A2"), (1, "x", "S400A1")]
    asn = associate("x", "my_targets", "a")
    found = products_of(exposure("a", *slits, **FIXED), associations=[asn])
    assert [item.name for item in found] == ["my_targets_s00001", "my_targets_s00002"]


@pytest.mark.parametrize(
    ("bad", "slit", "name"),
    [
        ({"program": "../x"}, "1", "jw000-x-o010_s00001_nirspec_f170lp-g235m"),
        ({"observation": "{}"}, "1", "jw10006-o00-_s00001_nirspec_f170lp-g235m"),
        ({"filter": "a/b"}, "1", "jw10006-o010_s00001_nirspec_a-b-g235m"),
        ({"instrument": "X"}, "1", "jw10006-o010_s00001_x_f170lp-g235m"),
        ({"instrument": ""}, "1", "jw10006-o010_s00001_f170lp-g235m"),
        ({"subarray": "a b"}, "1", "jw10006-o010_s00001_nirspec_f170lp-g235m-a-b"),
        (FIXED, "../S1", "jw10006-o010_s00001_nirspec_f170lp-g235m--s1"),
        (FIXED, "S\u00e9", "jw10006-o010_s00001_nirspec_f170lp-g235m-s-"),
        (FIXED, " My slit", "jw10006-o010_s00001_nirspec_f170lp-g235m-my-slit"),
    ],
)
def test_headers_that_give_no_name_of_the_archive(bad: dict, slit: str, name: str):
    (product,) = products_of(exposure("a", (1, "", slit), **bad))
    assert product.name == name and is_product_name(name)
    remarks = [remark.text for remark in note_names([product])]
    assert bool(remarks) == (parse_product_name(name) is None)
    assert all(text.startswith(f"{name}: named after headers") for text in remarks)


def test_slits_with_and_without_a_name_in_one_product_are_remarked():
    named, nameless = (exposure(x, (1, name, "1")) for x, name in (("a", "10006_1"), ("b", "")))
    (remark,) = note_names(products_of(named, nameless))
    assert "some slits have no SRCNAME, their SOURCEID decides" in remark.text
    assert not list(note_names(products_of(nameless)))


@pytest.mark.parametrize(
    ("slits", "culprit"),
    [
        (["S200A1", "S" * 300], "b slit SSS"),
        ([f"S{n}" * (25 + (n == 5)) for n in range(9)], "f slit S5S5"),
    ],
)
def test_bad_names_are_blamed_on_the_slit_that_has_them_or_on_the_longest(slits, culprit):
    exposures = (
        exposure(name, (1, "star", slit), **FIXED)
        for name, slit in zip("abcdefghi", slits, strict=False)
    )
    with pytest.raises(InputError, match=f"^{culprit}.* is not a valid product name"):
        products_of(*exposures)


@pytest.mark.parametrize("name", ["=1+1", "+30 1234", "-12 4567", "@x", "=cmd|' /C calc'!A0"])
def test_names_stand_in_tables_as_in_headers(tmp_path, name: str):
    """Also those that a spreadsheet would take for formulas: what reads tables compares names."""
    (product,) = products_of(exposure("a", (-7, name, name)))
    write_source_list(str(tmp_path / "sources.tsv"), [describe_source(product, b"")])
    for kind, form in (("tsv", "ascii.tab"), ("ecsv", "ascii.ecsv")):
        (row,) = Table.read(tmp_path / f"sources.{kind}", format=form)
        assert (row["source_name"], row["slit_name"], row["source_id"]) == (name, name, -7)


@pytest.mark.parametrize(
    ("exposure_type", "slit_name", "source_id", "by_header", "by_table"),
    [
        ("NRS_FIXEDSLIT", "S200A1", 61, 61, 1),
        ("NRS_FIXEDSLIT", "s1600a1", None, None, 4),
        ("NRS_FIXEDSLIT", "S200A3", 61, 61, 61),
        ("NRS_FIXEDSLIT", "", None, None, None),
        ("NRS_MSASPEC", "S200A1", 61, 61, 61),
        ("NRS_MSASPEC", "S200A1", None, None, None),
        ("NRS_MSASPEC", "1", 0, 0, 0),
    ],
)
def test_ids_of_fixed_slits_by_header_or_by_table(
    tmp_path, exposure_type, slit_name, source_id, by_header, by_table
):
    summary = SlitSummary("0" * 32, source_id, "", slit_name, exposure_type, 1, 1, (), ())
    about = IDENTITY | {"exposure": "a", "path": "a.fits", "detector": "NRS1"}
    layout = SlitLayout([], {}, (False, 0, 0), [], [], [], None, None)
    index = f"{tmp_path}/a.txt"
    write_index(index, about, {"tags": b"", "diagnostics": b""}, [(summary, layout)])
    for fixed_slit_ids, expected in (("header", by_header), ("table", by_table)):
        exposures = read_exposures([index], GroupingOptions(fixed_slit_ids=fixed_slit_ids))
        if expected is None:
            with pytest.raises(InputError, match=f"slit {slit_name or '.'} has no SOURCEID; set"):
                list(exposures)
        else:
            ((slit,),) = (exposure.slits for exposure in exposures)
            assert (slit.source_id, slit.slit_name) == (expected, slit_name)
            assert (slit.detector, slit.optics) == ("nrs1", "nirspec_f170lp-g235m")


def test_exposures_without_slits_stop_the_run_or_are_skipped(tmp_path):
    def read(on_bad_exposure: str, **header: str) -> list[IndexedExposure]:
        index = f"{tmp_path}/a.txt"
        header |= {"exposure": "a", "path": "a.fits", "failure": "a.fits: bad"}
        write_index(index, header, {"tags": b"", "diagnostics": b""}, [])
        return [*read_exposures([index], GroupingOptions(on_bad_exposure=on_bad_exposure))]

    assert [item.slits for item in read("skip")] == [[]]
    assert [item.slits for item in read("stop", other_kind="ImageModel")] == [[]]
    with pytest.raises(InputError, match=r"a\.fits: bad"):
        read("stop")


def test_exposures_in_and_beside_an_association():
    """The remedy is not one that leads to the same conflict."""
    asn = associate("x", "jw10006-o010_{source_id}_nirspec_f170lp-g235m", "a")
    two = exposure("a"), exposure("b")
    with pytest.raises(InputError, match=r"two groups.* name all of them in one asso") as error:
        products_of(*two, associations=[asn])
    assert "group_by" not in str(error.value)


@pytest.mark.parametrize(
    ("versions", "fixed_slit_ids", "warned"),
    [
        (("1.11.4", "1.16.0"), "header", True),
        (("1.11.4", "1.16.0"), "table", False),
        (("1.16.0", "2.0.1"), "header", False),
        (("1.8.2", "1.11.4"), "header", False),
    ],
)
def test_fixed_slits_that_are_numbered_in_two_ways(versions, fixed_slit_ids, warned):
    exposures = [
        exposure(name, (1, "", "S200A1"), version=version, **FIXED)
        for name, version in zip("ab", versions, strict=True)
    ]
    messages = str(warnings_of(*exposures, fixed_slit_ids=fixed_slit_ids))
    warning = "a numbers its fixed slits as pipelines before 1.12 did, b otherwise"
    assert (warning in messages) == warned
    assert ("'fixed_slit_ids: table' makes one product of each slit" in messages) == warned


def test_exposures_of_several_gratings_in_an_association():
    other = exposure("b", filter="F100LP", grating="G140H")
    both = exposure("a"), other
    asn = associate("x", "jw10006-c1001_{source_id}_nirspec", "a", "b")
    assert (
        "x_asn.json: its exposures have different optical elements (a: nirspec_f170lp-g235m, "
        "b: nirspec_f100lp-g140h), and its products combine them"
    ) in str(warnings_of(*both, associations=[asn]))
    # Names of products have the elements if there is no association.
    assert "optical elements" not in str(warnings_of(*both))


def test_families_whose_spectra_would_be_in_one_table():
    exposures = [exposure(name, exposure_type="NIS_WFSS") for name in "ab"]
    associations = [associate("a", "My-{source_id}", "a"), associate("b", "my_{source_id}", "b")]
    (warning,) = warnings_of(*exposures, associations=associations)
    assert warning.startswith("spectra of My-{source_id} and my_{source_id} would be in one table")
