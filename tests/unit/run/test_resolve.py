"""What a run is made of, and what makes its jobs run again."""

import json
import os
from pathlib import Path

import pytest

from exp_to_source.errors import InputError
from exp_to_source.run.configuration import check_configuration
from exp_to_source.run.resolve import Run, resolve_run
from exp_to_source.run.triggers import batches, file_trigger, rows_trigger
from exp_to_source.settings import read_settings

ROWS = {
    f"jw1_s0000{number}_x": {
        "product": f"jw1_s0000{number}_x",
        "digest": f"{number}",
        "class": "sb"[number % 2],
        "family": "jw1_x",
        "exposure_type": "NRC_WFSS" if number < 3 else "NRS_MSASPEC",
    }
    for number in range(1, 5)
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working directory with two exposures and a catalogue."""
    monkeypatch.chdir(tmp_path)
    for name in ("a_cal.fits", "b_cal.fits"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "cat.csv").write_text("id\n1\n")
    return tmp_path


def resolve(**config: object) -> Run:
    config = {"exposures": "*_cal.fits"} | config
    check_configuration(config)
    return resolve_run(config, "results", [], False, lambda key: "")


def test_jobs_read_the_settings_of_the_run(folder: Path):
    run = resolve(catalog="~/cat.csv" if Path.home() == folder else "cat.csv", sources="5")
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
    os.utime("a_cal.fits", (1, 1))
    states.append(file_trigger("a_cal.fits"))
    Path("a_cal.fits").write_bytes(b"xy")
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
    assert changed(before, triggers(catalog="cat.csv")) == [False, False, False]
    assert changed(before, triggers(catalog="cat.csv", quicklook=True)) == [True, False, False]
    assert changed(before, triggers(catalog="cat.csv", sources=5)) == [True, True, False]
    assert changed(before, triggers(catalog="cat.csv", offline=True)) == [True, False, True]
    reference = folder / "apcorr.asdf"
    steps = {"extract_1d": {"override_apcorr": str(reference)}}
    absent = triggers(spec3=steps)
    reference.touch()
    assert changed(absent, triggers(spec3=steps)) == [False, False, True]
    os.utime("cat.csv", (1, 1))
    assert changed(before, triggers(catalog="cat.csv")) == [True, True, False]
    (folder / "b_cal.fits").rename("c_nrs2_cal.fits")
    assert changed(triggers(), before) == [True, True, True]


def test_files_and_rows_that_were_lost(folder: Path):
    run = resolve()
    assert run.lost_files() == []
    tables = ["sources.tsv", "sources.ecsv", "left_out.tsv", "skipped.tsv", "remarks.tsv"]
    files = ["index/a_cal.txt", "index/b_cal.txt", "manifests/x.txt", "manifests/y.txt"]
    for path in [*tables, *files]:
        Path("results", path).parent.mkdir(parents=True, exist_ok=True)
        Path("results", path).touch()
    Path("results/sources.tsv").write_text("product\nx\n")
    Path("results/left_out.tsv").write_text("product\treason\ny\tnot chosen\n")
    Path("results/settings.json").write_text(run.settings.to_json())
    assert run.lost_files() == []
    Path("results/index/b_cal.txt").unlink()
    Path("results/manifests/x.txt").unlink()
    (folder / "c_cal.fits").touch()
    *lost, state = resolve().lost_files()
    assert lost == ["b_cal.txt", "x.txt"]
    os.utime("results/settings.json", (1, 1))
    # If they are lost once more, after another list.
    assert resolve().lost_files() == [*lost, file_trigger("results/settings.json")] != state
    for table in tables:
        path = Path("results", table)
        path.rename("aside")
        assert resolve().lost_files()[0] == table
        Path("aside").rename(path)


def test_a_list_of_other_settings_is_not_taken_for_that_of_this_run(folder: Path):
    run = resolve()
    Path("results").mkdir()
    Path("results/settings.json").write_text(run.settings.to_json())
    run.check_listed()
    with pytest.raises(InputError, match=r"other settings or exposures.*--forcerun list_sources"):
        resolve(min_exposures=2).check_listed()
    with pytest.raises(InputError, match="--batch divides the products of a source list"):
        run.check_divisible()


def test_no_exposures_and_the_settings_of_the_last_run(folder: Path):
    run = resolve(exposures=[])
    with pytest.raises(InputError, match="no exposures: set 'exposures' or 'associations'"):
        run.check_exposures()
    Path("results").mkdir()
    settings = {"exposures": "*_cal.fits", "min_exposures": 2}
    Path("results/summary.json").write_text(json.dumps({"settings": settings}))
    with pytest.raises(InputError, match=r"(?s)had the settings below.*\nexposures: '\*_cal"):
        run.check_exposures()


def test_batches_are_named_by_what_is_in_them():
    first, second = batches(ROWS, 3).items()
    assert (len(first[1]), second[1]) == (3, ["jw1_s00004_x"])
    changed = ROWS | {"jw1_s00004_x": ROWS["jw1_s00004_x"] | {"digest": "new"}}
    again, other = batches(changed, 3).items()
    assert again == first
    assert other[0] != second[0]
    assert rows_trigger(changed) != rows_trigger(ROWS)
