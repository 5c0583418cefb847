"""Jobs about spectra, done in a fork of a process that has jwst imported, or here."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..errors import exit_on_user_error
from ..server import run_in_fork
from .preparation import combine_background, prepare_exposure, summarize_association
from .references import without_crds
from .steps import extract_all, require_jwst


def combine(**request: Any) -> None:
    """Import jwst, and combine spectra."""
    from .combination import combine_spectra

    combine_spectra(**request)


#: Tasks by name: the command they are of, and their function.
TASKS: Mapping[str, tuple[str, Callable[..., None]]] = {
    "survey": ("prepare", summarize_association),
    "background": ("prepare", combine_background),
    "exposure": ("prepare", prepare_exposure),
    "extract": ("spec3", extract_all),
    "combine": ("combine", combine),
}


def run_task(task: str, **request: Any) -> None:
    """Run a task; exit with a sentence if it fails."""
    command, function = TASKS[task]
    with exit_on_user_error(f"exp-to-source {command}"):
        require_jwst()
        function(**request)


def run_job(task: str, request: dict[str, Any], offline: bool, fork: bool) -> None:
    """Run a task with arguments as JSON has them; exit if a fork of a process with jwst did it."""
    # Several jobs run side by side.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    request = {"task": task, **request}
    if fork:
        status = run_in_fork(f"spec3 {offline=}", _jwst(offline), run_task, request)
        if status is not None:
            sys.exit(status)
    with without_crds(offline):
        run_task(**request)


@contextmanager
def _jwst(offline: bool) -> Iterator[None]:
    """Import all that tasks need."""
    with without_crds(offline):
        import asdf

        from . import combination  # noqa: F401

        # The first of a process looks all extensions up: a quarter of a job.
        asdf.AsdfFile()
        yield
