"""Flight exposures, and those written as the pipelines of their day build slits, are regrouped."""

from pathlib import Path

import pytest
from adversity.subjects import trim
from eras import DATA, unpack
from jwst_reference import assert_equal_to_jwst, assert_verified, regroup
from tiny import split

FLIGHT = sorted((DATA / "flight").glob("*_cal.fits.xz"))
ERAS = sorted((DATA / "eras_flight").glob("*/*"))


@pytest.mark.parametrize(
    "packed",
    [*([path] for path in FLIGHT), *(sorted(folder.iterdir()) for folder in ERAS)],
    ids=lambda packed: str(packed[0].relative_to(DATA).parent / packed[0].name[:12]),
)
def test_products_equal_those_of_jwst_and_are_verified(packed: list[Path], tmp_path: Path):
    paths = [unpack(path, tmp_path, number) for number, path in enumerate(packed, 1)]
    for path in paths:
        # For the sake of time, as the others are alike.
        path.write_bytes(trim(split(path.read_bytes()), 1).join(true_hash=True))
    products = regroup(paths, tmp_path)
    assert_equal_to_jwst(paths, products, tmp_path)
    assert_verified(paths, products, tmp_path)
