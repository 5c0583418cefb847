"""Every command runs in the documents about spectra, which need the jwst package."""

from pathlib import Path

import pytest
from documents import run_commands


@pytest.mark.parametrize("page", ["docs/tutorial.md", "docs/how-to/spectra.md"])
def test_commands_of_documents(page: str, tmp_path: Path):
    run_commands(page, tmp_path)
