"""Flight exposures, and those written as the pipelines of their day build slits, are regrouped."""

from pathlib import Path

import pytest
from adversity.judge import judge
from adversity.subjects import trim
from eras import DATA, regroup, unpack
from tiny import split

from exp_to_source.verify.fingerprints import fingerprint_exposure
from exp_to_source.verify.products import Verifier

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
        path.write_bytes(trim(split(path.read_bytes()), 2).join(true_hash=True))
    products = regroup(paths, tmp_path)
    official = tmp_path / "official"
    official.mkdir()
    verdict = judge(paths, products, official, remarks=[])
    assert (verdict.outcome, verdict.details) == ("equal", [])
    for path in paths:
        fingerprint_exposure(str(path), str(tmp_path / "fingerprints" / f"{path.stem}.jsonl"))
    verifier = Verifier(str(tmp_path / "fingerprints"))
    for product in products:
        result = verifier.verify(str(product))
        assert (result.errors, result.unverified) == ([], [])
