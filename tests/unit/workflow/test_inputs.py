"""Globs, folders and files of settings, resolved to the files of a run."""

import os
from pathlib import Path

import pytest
from astropy.io import fits

from exp_to_source.errors import InputError
from exp_to_source.sources.associations import Association
from exp_to_source.workflow.exposures import explicit_names, name_exposures
from exp_to_source.workflow.inputs import count_files, find_exposures, find_files

NAME = "jw00009001001_03101_00001_nrs1_cal"
PRODUCT = "jw10006-o010_s00061_nirspec_f170lp-g235m"


def touch(folder: Path, *names: str) -> None:
    """Make empty files, and the folders for them."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def below(folder: Path, *names: str) -> list[str]:
    """Paths of files in a folder."""
    return [f"{folder}/{name}" for name in names]


def test_a_folder_is_searched_below_as_the_archive_has_a_folder_for_each_exposure(tmp_path: Path):
    tree = tmp_path / "MAST_2026-11-29T2100" / "JWST"
    for name in ("jw2_nrs1", "jw1_nrs2"):
        touch(tree / name, *(f"{name}_{end}" for end in ("cal.fits", "rate.fits", "cal.jpg")))
    touch(tree / "asn", "x_asn.json", "x_asn.yaml", f"{PRODUCT}_cal.fits")
    expected = below(tree, "jw1_nrs2/jw1_nrs2_cal.fits", "jw2_nrs1/jw2_nrs1_cal.fits")
    for given in (tmp_path, f"{tmp_path}/MAST*", f"{tmp_path}/**/"):
        assert find_exposures([str(given)]) == expected
        assert count_files([str(given)]) == [
            f"{given}: 2 files found in 2 folders, 3 ignored: "
            "2 not *_cal.fits or *_mbsub.fits, 1 source-based"
        ]
    assert find_files("associations", [str(tmp_path)]) == below(
        tree, "asn/x_asn.json", "asn/x_asn.yaml"
    )


def test_results_hidden_files_and_second_ways_to_a_folder_are_left_out(tmp_path: Path):
    touch(tmp_path, "a/a_cal.fits", ".hidden/b_cal.fits", "a/._a_cal.fits", "a/.git/c_cal.fits")
    results = tmp_path / "work" / "results"
    touch(results, "prepared/a_cal.fits", "products/x_cal.fits", "spec3/x_x1d.fits")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    outside = tmp_path.parent / f"{tmp_path.name}_outside"
    touch(outside, "c_cal.fits")
    (tmp_path / "c").symlink_to(outside)
    expected = below(tmp_path, "a/a_cal.fits", "c/c_cal.fits")
    assert find_exposures([str(tmp_path)], str(results)) == expected
    assert count_files([str(tmp_path)], str(results)) == [f"{tmp_path}: 2 files found in 2 folders"]
    # A workflow that uses this one may have exposures among its results.
    touch(results, "mine/d_cal.fits")
    for folder in (results, results / "mine"):
        assert find_exposures([str(folder)], str(results)) == below(results, "mine/d_cal.fits")


def test_folders_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    touch(tmp_path, "a_cal.fits", "lost+found/b_cal.fits")
    scandir = os.scandir

    def deny(path: str):
        if path.endswith("lost+found"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)
    assert find_exposures([str(tmp_path)]) == below(tmp_path, "a_cal.fits")
    assert count_files([str(tmp_path)]) == [
        f"{tmp_path}: 1 file found, 1 ignored: 1 folder that cannot be read ({tmp_path}/lost+found)"
    ]
    with pytest.raises(InputError, match="Permission denied; make it readable, or name another"):
        find_exposures([f"{tmp_path}/lost+found"])


def test_folders_without_exposures(tmp_path: Path):
    touch(tmp_path, "c/below/c_rate.fits")
    for given, what in {"c": "has no", "?": "matches folders that have no"}.items():
        with pytest.raises(InputError) as error:
            find_exposures([f"{tmp_path}/{given}"])
        assert f"/{given}' {what} *_cal.fits or *_mbsub.fits of exposures; co" in str(error.value)
    with pytest.raises(InputError, match=r"has no \*_asn.json or \*_asn.yaml; correct"):
        find_files("associations", [str(tmp_path / "c")])


def test_files_of_a_folder_that_are_passed_over(tmp_path: Path):
    touch(tmp_path, "a_cal.fits", "a_rate.fits", "b_rate.fits", "a_cal.fits.gz", "notes.txt")
    assert count_files([str(tmp_path), "gone"]) == [
        f"{tmp_path}: 1 file found, 3 ignored: 1 compressed or of another kind, "
        "2 not *_cal.fits or *_mbsub.fits"
    ]
    assert count_files([f"{tmp_path}/*_cal.fits"]) == []


def test_exposures_are_named_by_their_paths_and_by_associations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A file that is found, too, is named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    touch(tmp_path, *(f"{name}_cal.fits" for name in "abde"), "x/f_cal.fits")
    association = Association("x_asn.json", "x", ["./e_cal.fits"], [], None)
    given = ["?_cal.fits", "b_cal.fits", "~/d_cal.fits", "x", "made_cal.fits"]
    named = {"b_cal", "d_cal", "e_cal", "made_cal"}
    assert explicit_names(given, [association]) == named
    assert explicit_names("?_cal.fits") == set()


NAMES = (
    *("..", "a b", "$(touch x)", "`x`", "a;b", "a'b", 'a"b', "a\\b", "*", "{source_id}", "{0}"),
    *("~", "-rf", "a\tb", "a\nb", "\u00e9", "\u212a", "\udcff", "", "x" * 300),
)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        *((f"x/{name}", "file names of exposures may have letters") for name in NAMES),
        *((f"{folder}/{NAME}", "cannot be part of paths") for folder in ("a{b}", "a\nb", "\udcff")),
    ],
)
def test_names_of_files_and_folders(path: str, sentence: str):
    with pytest.raises(InputError, match=sentence):
        name_exposures([f"{path}.fits"])


def test_files_of_one_name_and_two_states_of_one_exposure(tmp_path: Path):
    names = f"a/{NAME}.fits", f"b/{NAME}.fits"
    touch(tmp_path, *names)
    one, other = below(tmp_path, *names)
    with pytest.raises(InputError, match="have the same file name"):
        name_exposures([one, other])
    with pytest.raises(InputError, match="are the same exposure; choose one of them"):
        name_exposures([one, other.replace("cal", "mbsub")])
    (tmp_path / "c").symlink_to(tmp_path / "a")
    same = [one, one, f"{tmp_path}/b/../a/{NAME}.fits", f"{tmp_path}/c/{NAME}.fits"]
    assert name_exposures(same) == {NAME: one}


@pytest.mark.parametrize("other", ["b/{}.fits", "my image_cal.fits", "{}.fits"])
def test_found_files_of_other_kinds_are_in_no_conflict_of_names(tmp_path: Path, other: str):
    """A direct image may be called as an exposure in another folder, or as no exposure can be."""
    exposure, image = tmp_path / "a" / f"{NAME}.fits", tmp_path / other.format(NAME)
    for path, model in ((exposure, "MultiSlitModel"), (image, "ImageModel")):
        path.parent.mkdir(exist_ok=True)
        fits.PrimaryHDU(header=fits.Header([("DATAMODL", model)])).writeto(path)
    found = {str(exposure), str(image)}
    assert name_exposures(sorted(found), found) == {NAME: str(exposure)}
    with pytest.raises(
        InputError, match=r"have the same file name|file names of exposures may have"
    ):
        name_exposures(sorted(found))
