"""What a run is made of, and what makes its jobs run again."""

import json
import os
import socket
from pathlib import Path

import pytest

from exp_to_source.errors import InputError
from exp_to_source.fetch.addresses import beside
from exp_to_source.settings import read_settings
from exp_to_source.sources.associations import read_association
from exp_to_source.workflow.configuration import check_configuration
from exp_to_source.workflow.resolve import Run, resolve_run
from exp_to_source.workflow.triggers import file_trigger

NAME = "jw01345066001_03101_00001_nrs1_cal.fits"
URI = f"mast:JWST/product/{NAME}"


def resolve(**config: object) -> Run:
    config = {"exposures": "*_cal.fits"} | config
    check_configuration(config)
    return resolve_run(config, "results", [], False, lambda key: "")


def test_jobs_read_the_settings_of_the_run(folder: Path):
    run = resolve(catalog="cat.csv", sources="5")
    Path("settings.json").write_text(run.settings.to_json())
    settings = read_settings("settings.json")
    assert settings == run.settings
    assert settings.exposures == {"a_cal": "a_cal.fits", "b_cal": "b_cal.fits"}
    assert (settings.values["catalog"], settings.values["group_by"]) == ("cat.csv", "auto")
    for text in ("{", "[]", '{"values": {}}'):
        Path("settings.json").write_text(text)
        with pytest.raises(InputError, match="not the settings of a run; delete it"):
            read_settings("settings.json")


def test_a_file_of_the_user_is_another_by_its_path_size_or_time(folder: Path):
    states = [file_trigger("a_cal.fits")]
    for content in (b"x", b"xy"):
        Path("a_cal.fits").write_bytes(content)
        os.utime("a_cal.fits", (1, 1))
        states.append(file_trigger("a_cal.fits"))
    os.rename("a_cal.fits", "c_cal.fits")
    states += [file_trigger("c_cal.fits"), file_trigger("a_cal.fits")]
    assert len(set(states)) == len(states)


def test_what_the_source_list_products_and_spectra_depend_on(folder: Path):
    """Each of these changes some triggers: of the list, of what is in products, of spectra."""

    def triggers(**config: object) -> list[str]:
        run = resolve(**config)
        return [run.list_trigger(), run.grouping_trigger(), run.spectra_trigger()]

    def changed(one: list[str], other: list[str]) -> list[bool]:
        return [a != b for a, b in zip(one, other, strict=True)]

    before = triggers(catalog="cat.csv")
    for settings, expected in (
        ({}, [False, False, False]),
        ({"quicklook": True}, [True, False, False]),
        ({"sources": 5}, [True, True, False]),
        ({"offline": True}, [True, False, True]),
    ):
        assert changed(before, triggers(catalog="cat.csv", **settings)) == expected, settings
    reference = folder / "apcorr.asdf"
    steps = {"extract_1d": {"override_apcorr": str(reference)}}
    absent = triggers(spec3=steps)
    reference.touch()
    assert changed(absent, triggers(spec3=steps)) == [False, False, True]
    os.utime("cat.csv", (1, 1))
    assert changed(before, triggers(catalog="cat.csv")) == [True, True, False]
    (folder / "b_cal.fits").rename("c_nrs2_cal.fits")
    assert changed(triggers(), before) == [True, True, True]


def test_spectra_depend_on_the_background_of_associations(folder: Path):
    states = []
    for exptype in ("imprint", "background"):
        types = {"a_cal.fits": "science", "b_cal.fits": exptype}
        members = [{"expname": name, "exptype": value} for name, value in types.items()]
        content = {"asn_type": "spec3", "products": [{"name": "x", "members": members}]}
        Path("x_asn.json").write_text(json.dumps(content))
        states.append(resolve(associations="x_asn.json", exposures=[]).spectra_trigger())
    assert states[0] != states[1]


def test_files_and_rows_that_were_lost(folder: Path):
    run = resolve()
    assert run.lost_files() == []
    tables = ["sources.tsv", "sources.ecsv", "exposures.tsv", "regions.reg"]
    tables += ["left_out.tsv", "skipped.tsv", "remarks.tsv", "joins.tsv"]
    files = ["index/a_cal.txt", "index/b_cal.txt", *(f"manifests/{name}.txt" for name in "xy")]
    for path in [*tables, *files]:
        Path("results", path).parent.mkdir(parents=True, exist_ok=True)
        Path("results", path).touch()
    Path("results/sources.tsv").write_text("product\nx\n")
    Path("results/left_out.tsv").write_text("product\treason\ny\tnot chosen\n")
    Path("results/settings.json").write_text(run.settings.to_json())
    assert run.lost_files() == []
    Path("results/index/b_cal.txt").unlink()
    Path("results/manifests/x.txt").rename("results/manifests/z.txt")
    (folder / "c_cal.fits").touch()
    *lost, state = resolve().lost_files()
    assert lost == ["b_cal.txt", "x.txt", "z.txt"]
    os.utime("results/settings.json", (1, 1))
    # If they are lost once more, after another list.
    assert resolve().lost_files() == [*lost, file_trigger("results/settings.json")] != state
    for table in tables:
        path = Path("results", table)
        path.rename("aside")
        assert resolve().lost_files()[0] == table
        Path("aside").rename(path)


def test_no_exposures_and_the_settings_of_the_last_run(folder: Path):
    run = resolve(exposures=[])
    with pytest.raises(InputError, match="no exposures: set 'exposures' or 'associations'"):
        run.check_exposures()
    Path("results").mkdir()
    settings = {"exposures": "*_cal.fits", "min_exposures": 2}
    Path("results/summary.json").write_text(json.dumps({"settings": settings}))
    with pytest.raises(InputError, match=r"(?s)had the settings below.*\nexposures: '\*_cal"):
        run.check_exposures()


def test_lists_in_files(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Of exposures and associations: each setting takes its own, as from a folder."""
    monkeypatch.setattr(socket, "socket", None)  # No network is used.
    asn = "mast:JWST/product/jw01345-o066_20240101t000000_spec3_00001_asn.json"
    Path("list.txt").write_text(f"# of MAST\n{URI}\n\n*_cal.fits\n{asn}\n{asn}\n")
    run = resolve(exposures="@list.txt", associations="@list.txt")
    fetched = f"results/exposures/{NAME}"
    assert list(run.exposures.values()) == [fetched, "a_cal.fits", "b_cal.fits"]
    assert run.settings.associations == [f"results/exposures/{asn[18:]}"]
    assert run.addresses == {fetched: URI, run.settings.associations[0]: asn}
    # As in a folder, files of other kinds are passed over.
    assert not run.named and not run.is_complete
    assert resolve(exposures=URI).named == {NAME.removesuffix(".fits")}
    Path("list.txt").write_text("a_cal.fits\n")
    with pytest.raises(InputError, match=r"list.txt: lists no associations; write"):
        resolve(associations=["@list.txt"], exposures=[])
    with pytest.raises(InputError, match=r"'@gone.txt' is not a file; correct the setting"):
        resolve(exposures="@gone.txt")


def test_two_files_of_one_name(folder: Path):
    with pytest.raises(InputError, match="have one name; leave one out"):
        resolve(exposures=[URI, f"s3://stpubdata/jwst/{NAME}"])


def test_members_are_beside_their_association(folder: Path):
    asn = "https://example.org/a/x_asn.json"
    run = resolve(associations=asn, exposures=[])
    assert (run.exposures, run.is_complete) == ({}, False)
    Path("results/exposures").mkdir(parents=True)
    Path("results/exposures/x_asn.json").write_text(
        '{"asn_type": "spec3", "products": [{"name": "x", "members": ['
        '{"expname": "c_x1d.fits", "exptype": "science"},'
        '{"expname": "d_x1d.fits", "exptype": "background"},'
        f'{{"expname": "{NAME}", "exptype": "science"}}]}}]}}'
    )
    # One that is named by itself is taken from there.
    run = resolve(associations=asn, exposures=URI)
    assert list(run.exposures) == [NAME.removesuffix(".fits"), "c_cal"]
    for name in ("c_cal.fits", "d_x1d.fits"):
        assert run.addresses[f"results/exposures/{name}"] == beside(asn, name)
    assert (
        resolve(associations=asn, exposures=[], prepare=True).members.keys() == run.exposures.keys()
    )
    assert run.addresses[f"results/exposures/{NAME}"] == URI
    assert run.exposure_trigger("c_cal") == "https://example.org/a/c_cal.fits"
    content = Path("results/exposures/x_asn.json").read_text()
    Path("results/exposures/x_asn.json").write_text(content.replace("d_x1d", "../d_x1d"))
    with pytest.raises(InputError, match=r"/../d_x1d.fits' is in another folder, and members are"):
        resolve(associations=asn)
    with pytest.raises(InputError, match="is a spectrum, and its exposure"):
        read_association("results/exposures/x_asn.json")
