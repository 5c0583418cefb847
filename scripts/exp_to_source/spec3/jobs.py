"""Jobs about spectra, done in a fork of a process that has jwst imported, or here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .. import server
from .references import without_crds
from .steps import require_jwst

#: Tasks by name: the command they are of, and their function.
TASKS = {
    "survey": ("prepare", "spec3.preparation:summarize_association"),
    "background": ("prepare", "spec3.preparation:combine_background"),
    "exposure": ("prepare", "spec3.preparation:prepare_exposure"),
    "extract": ("spec3", "spec3.steps:extract_all"),
    "combine": ("combine", "spec3.combination:combine_spectra"),
}


def run_job(task: str, options: dict[str, Any], offline: bool, fork: bool) -> None:
    """Run a task with options as JSON has them, in a fork of a process with jwst or here."""
    require_jwst()
    # Several jobs run side by side.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    server.run_job(*TASKS[task], options, f"spec3 {offline=}", _jwst(offline), fork)


@contextmanager
def _jwst(offline: bool) -> Iterator[None]:
    """Import all that tasks need."""
    with without_crds(offline):
        import asdf

        from . import combination, preparation, steps  # noqa: F401

        # The first of a process looks all extensions up: a quarter of a job.
        asdf.AsdfFile()
        yield
