"""Associations of several pipelines, and what their members have become since."""

from pathlib import Path

import pytest
from members import NAMES, write_association

from exp_to_source.errors import InputError
from exp_to_source.sources.associations import read_association


def touch(folder: Path, *suffixes: str) -> None:
    """Make the files of the two exposures."""
    for name, suffix in zip(NAMES, suffixes, strict=True):
        (folder / f"{name}_{suffix}.fits").touch()


@pytest.mark.parametrize(
    ("suffix", "there", "taken", "remarks"),
    [
        ("cal", ("cal", "cal"), ("cal", "cal"), []),
        (
            "x1d",
            ("cal", "cal"),
            ("cal", "cal"),
            ["2 of its 2 members are called _x1d; the _cal beside each is regrouped"],
        ),
        (
            "cal",
            ("cal", "mbsub"),
            ("cal", "mbsub"),
            ["1 of its 2 members are called _cal; the _mbsub beside each is regrouped"],
        ),
        (
            "x1d",
            ("cal", "mbsub"),
            ("cal", "mbsub"),
            [
                "1 of its 2 members are called _x1d; the _cal beside each is regrouped",
                "1 of its 2 members are called _x1d; the _mbsub beside each is regrouped",
            ],
        ),
    ],
)
def test_members_that_stand_for_others(tmp_path, suffix, there, taken, remarks):
    touch(tmp_path, *there)
    path = write_association(tmp_path, suffix)
    association = read_association(path)
    files = [f"{name}_{suffix}.fits" for name, suffix in zip(NAMES, taken, strict=True)]
    assert association.science == [str(tmp_path / file) for file in files]
    assert list(association.remarks) == [f"{path}: {remark}" for remark in remarks]


def test_member_that_is_there_is_taken_whatever_is_beside_it(tmp_path):
    for suffix in ("cal", "mbsub", "x1d"):
        touch(tmp_path, suffix, suffix)
    for suffix in ("cal", "mbsub"):
        association = read_association(write_association(tmp_path, suffix))
        assert association.science[0].endswith(f"_{suffix}.fits")
        assert association.remarks == ()


def test_spectra_without_their_exposures(tmp_path):
    touch(tmp_path, "x1d", "cal")
    path = write_association(tmp_path, "x1d")
    with pytest.raises(
        InputError, match=r"x1d.fits' is a spectrum, and its exposure '.*_cal.fits'"
    ):
        read_association(path)


def test_exposure_and_its_spectrum_are_one(tmp_path):
    touch(tmp_path, "cal", "cal")
    path = Path(write_association(tmp_path, "x1d"))
    path.write_text(path.read_text().replace(f"{NAMES[1]}_x1d", f"{NAMES[0]}_cal"))
    with pytest.raises(InputError, match="twice"):
        read_association(str(path))


@pytest.mark.parametrize("other", [{"name": "jw1-other", "members": []}, {}, "x"])
def test_only_the_first_product_is_made(tmp_path, other):
    touch(tmp_path, "cal", "cal")
    (remark,) = read_association(write_association(tmp_path, "cal", other)).remarks
    assert "only its first product is made, as in calwebb_spec3; left out: " in remark
    assert repr(other.get("name") if isinstance(other, dict) else None) in remark
