"""Verification of what is damaged at random ends in a verdict or in one sentence.

For more cases, by hand::

    FUZZ_VERIFY=2000 FUZZ_SEED=1 pytest tests/adversity/test_verify_fuzz.py
"""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzz import DAMAGES, NAME, check_message, damage_bytes, damage_part, regroup, run_cases
from tiny import split, write_tiny

from exp_to_source.errors import InputError
from exp_to_source.verify.fingerprints import fingerprint_exposure
from exp_to_source.verify.products import Verifier
from exp_to_source.verify.verdicts import check_completeness, read_slits

CASES = int(os.environ.get("FUZZ_VERIFY", "30"))

MUTATIONS = (damage_bytes, *map(damage_part, DAMAGES))

#: The data models leave files open that they cannot read.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def verify(tmp_path: Path) -> Callable[[], str]:
    """Fingerprint the exposure, verify its product, return the status."""
    path, product = tmp_path / f"{NAME}.fits", tmp_path / "product_cal.fits"
    fingerprints = tmp_path / "fingerprints" / f"{NAME}.jsonl"

    def verified() -> str:
        try:
            fingerprint_exposure(str(path), str(fingerprints))
        except InputError as error:
            return check_message(error, str(path))
        verdict = Verifier(str(fingerprints.parent)).verify(str(product))
        sizes = {verdict.product: len(verdict.slits)}
        checked, *_ = check_completeness([verdict], [read_slits(str(fingerprints))], [], sizes)
        assert "\n" not in checked.to_row()["verdict"]
        return checked.status

    return verified


def test_damaged_products_of_two_sources(tmp_path: Path, verify: Callable[[], str]):
    assert regroup(tmp_path, write_tiny(tmp_path / f"{NAME}.fits")) == "right"
    product = tmp_path / "product_cal.fits"
    sound = product.read_bytes()
    whole = split(sound)

    def case(rng: random.Random) -> str:
        product.write_bytes(rng.choice(MUTATIONS)(rng, sound, whole.copy()))
        return verify()

    assert run_cases("product", CASES // 2, case).keys() == {"damaged"}


def test_products_of_damaged_exposures(tmp_path: Path, verify: Callable[[], str]):
    exposure = write_tiny(tmp_path / f"{NAME}.fits")
    whole = split(exposure)

    def case(rng: random.Random) -> str:
        outcome = regroup(tmp_path, rng.choice(MUTATIONS)(rng, exposure, whole.copy()))
        return verify() if outcome == "right" else "not made"

    outcomes = run_cases("exposure", CASES // 2, case)
    assert outcomes["not made"] and outcomes["damaged"]
