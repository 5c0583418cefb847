"""Every command runs in the documents about spectra, which need the jwst package."""

from pathlib import Path

import pytest
from documents import run_commands

PAGES = [["docs/tutorial.md"], ["docs/how-to/spectra.md", "docs/how-to/notebook.md"]]


@pytest.mark.parametrize("pages", PAGES)
def test_commands_of_documents(pages: list[str], tmp_path: Path):
    run_commands(tmp_path, *pages)
