"""Jobs about spectra, done in a fork of a process that has jwst imported, or here."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from ..errors import exit_on_user_error
from ..server import run_in_fork
from .offline import without_crds
from .preparation import combine_background, prepare_exposure, summarize_association
from .steps import extract_all, require_jwst


def combine(table: str, classes: str, indices: Sequence[str], x1d: str, c1d: str) -> None:
    """Concatenate the spectra of a group of products, as `combination.combine_spectra`."""
    from .combination import combine_spectra

    combine_spectra(Path(table), classes, [Path(i) for i in indices], Path(x1d), Path(c1d))


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
    """Run a task, and exit if a fork did it.

    Parameters
    ----------
    task, request
        Name of the task, and its arguments, as JSON has them.
    offline : bool
        Whether to do without CRDS.
    fork : bool
        Whether to run it in a fork of a process that has jwst imported.
    """
    # Several jobs run side by side.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if fork:
        status = run_in_fork(
            f"spec3 {offline=}", _jwst(offline), run_task, {"task": task, **request}
        )
        if status is not None:
            sys.exit(status)
    with without_crds() if offline else nullcontext():
        run_task(task, **request)


@contextmanager
def _jwst(offline: bool) -> Iterator[None]:
    """Import all that tasks need."""
    with without_crds() if offline else nullcontext():
        import asdf

        from . import combination  # noqa: F401

        # The first of a process looks all extensions up: a quarter of a job.
        asdf.AsdfFile()
        yield
