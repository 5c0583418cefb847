"""CRDS set up to do without network."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: By this address CRDS knows that there is no server to ask.
SERVERLESS = "https://crds-serverless-mode.stsci.edu"

#: Environment in which CRDS neither asks its server nor expects a cache of reference files.
OFFLINE = {
    "CRDS_SERVER_URL": SERVERLESS,
    "CRDS_CONTEXT": "jwst_0000.pmap",
    "STPIPE_DISABLE_CRDS_STEPPARS": "true",
}

#: What CRDS wants to know of its server, in place of what the server would say.
SERVER = {"observatory": "jwst", "operational_context": OFFLINE["CRDS_CONTEXT"], "last_synced": ""}


@contextmanager
def without_crds() -> Iterator[None]:
    """Set CRDS up to do without network and reference files, before jwst is imported."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config", "jwst", "server_config")
        config.parent.mkdir(parents=True)
        config.write_text(repr(SERVER), encoding="utf-8")
        os.environ.update(OFFLINE, CRDS_PATH=folder)
        yield
