"""Jobs about spectra, done in a fork of a process that has jwst imported, or here."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ..errors import exit_on_user_error
from ..run.server import ask_server
from .offline import without_crds
from .preparation import combine_background, prepare_exposure, survey_association
from .references import use_references
from .steps import require_jwst, run_all

#: Script that starts the process from which jobs fork.
SERVER = Path(__file__).parents[2] / "serve_spec3.py"


def combine(table: str, classes: str, indices: Sequence[str], x1d: str, c1d: str) -> None:
    """Put the spectra of a family together, as `families.combine_family`."""
    from .families import combine_family

    combine_family(Path(table), classes, [Path(i) for i in indices], Path(x1d), Path(c1d))


#: What is done for a request, by its name, and the command that asks for it.
TASKS: Mapping[str, tuple[str, Callable[..., None]]] = {
    "survey": ("prepare_exposures", survey_association),
    "background": ("prepare_exposures", combine_background),
    "prepare": ("prepare_exposures", prepare_exposure),
    "extract": ("run_spec3", run_all),
    "combine": ("combine_spectra", combine),
}


def do_task(task: str, **request: Any) -> None:
    """Do what a request asks for."""
    command, function = TASKS[task]
    with exit_on_user_error(command):
        require_jwst()
        function(**request)


def read_found(references: Path | None, offline: bool = False) -> dict[str, Any]:
    """Read what `find_references` found, and set CRDS up by it.

    Parameters
    ----------
    references : Path or None
        Its file, if there is any.
    offline : bool
        Whether to do without CRDS if there is none.
    """
    if not references:
        return {"offline": offline}
    found: dict[str, Any] = json.loads(references.read_text(encoding="utf-8"))
    use_references(found, str(references))
    return found


def run_job(task: str, request: dict[str, Any], offline: bool, fork: bool) -> None:
    """Do a task, and exit if a fork did it.

    Parameters
    ----------
    task, request
        Name of the task, and what it takes, as JSON has it.
    offline : bool
        Whether to do without CRDS.
    fork : bool
        Whether to have it done in a fork of a process that has jwst imported.
    """
    # Several jobs run side by side.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if fork:
        start = [sys.executable, str(SERVER), *(["--offline"] if offline else [])]
        status = ask_server(start, {"task": task, **request})
        if status is not None:
            sys.exit(status)
    with without_crds() if offline else nullcontext():
        do_task(task, **request)
