"""What several files of runs share."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def fixed_date() -> Iterator[None]:
    """Products of several runs are equal byte for byte."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        yield
