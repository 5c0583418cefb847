"""What Spec3Pipeline does to exposures before it regroups them, an exposure at a time.

Moving targets get a common WCS (assign_mtwcs); the spectra of background members are combined and
subtracted (master_background). What needs all exposures of an association is computed once.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import atomic_write, write_file
from ..sources.associations import read_association
from .steps import LOG_TO_STDERR, save_model

#: Steps after which no background is left to be subtracted
#: (``jwst.master_background.MasterBackgroundStep``).
SUBTRACTED = ("bkg_subtract", "master_background")

COMPLETE, SKIPPED = "COMPLETE", "SKIPPED"


def summarize_association(association: str, output: str) -> None:
    """Write what the exposures of an association have in common, as JSON.

    ``position`` is mean RA and Dec of a moving target (degrees), or null; ``steps`` has the status
    of the steps that prepare exposures, as in ``meta.cal_step``.
    """
    content = read_association(association)
    trees = {path: _read_metadata(path) for path in content.members}
    steps: dict[str, str] = {}
    position = None
    target = trees[content.science[0]]["meta"].get("target", {})
    if str(target.get("type")).upper() == "MOVING":
        position = _mean_position({path: trees[path] for path in content.science})
        if not position:
            print(
                f"{association}: slits have no MT_RA or MT_DEC, so assign_mtwcs changes nothing, "
                "as in the pipeline; the target will be misaligned",
                file=sys.stderr,
            )
        # As the step notes in either case.
        steps["assign_mtwcs"] = COMPLETE
    if content.background:
        statuses = [tree["meta"].get("cal_step", {}) for tree in trees.values()]
        is_subtracted = any(s.get(step) == COMPLETE for s in statuses for step in SUBTRACTED)
        steps["master_background"] = SKIPPED if is_subtracted else COMPLETE
    text = json.dumps({"position": position, "steps": steps}, indent=1)
    write_file(output, f"{text}\n".encode())


def combine_background(association: str, output: str) -> None:
    """Combine the background members of an association in one spectrum, as MasterBackgroundStep."""
    from unittest.mock import patch

    from jwst.datamodels import ModelContainer
    from jwst.master_background.master_background_step import MasterBackgroundStep

    for member in read_association(association).background:
        _check_exists(member)
    step = MasterBackgroundStep()
    step.save_background = True
    # Whether it is subtracted, the summary decides.
    step.force_subtract = True
    models: list[Any] = []
    with (
        _errors_of_steps(association, "its background members cannot be combined"),
        patch.object(step, "save_model", lambda model, **_: models.append(model)),
        patch.object(step, "save_container", lambda *_, **__: None),
        ModelContainer(association, asn_exptypes=["background"]) as members,
    ):
        step.process(members)
        save_model(models[0], Path(output))


def prepare_exposure(
    exposure: str, output: str, summary: str, background: str | None, log: str = LOG_TO_STDERR
) -> None:
    """Do to an exposure what the pipeline does before it regroups.

    By the files of `summarize_association` and, if there are background members,
    `combine_background`; `log` is where the messages of the steps are, for a sentence.
    """
    import jwst
    from jwst.assign_mtwcs.moving_target_wcs import add_mt_frame
    from jwst.master_background.expand_to_2d import expand_to_2d
    from jwst.master_background.master_background_step import subtract_2d_background
    from jwst.stpipe import record_step_status
    from stdatamodels.jwst import datamodels

    common = json.loads(Path(summary).read_text(encoding="utf-8"))
    _check_exists(exposure)
    if not common["steps"]:
        with open(exposure, "rb") as source, atomic_write(output) as target:
            shutil.copyfileobj(source, target)
        return
    with _errors_of_steps(exposure, "cannot be prepared", log), datamodels.open(exposure) as model:
        if common["position"]:
            for slit in model.slits:
                info = slit.meta.wcsinfo
                wcs = add_mt_frame(slit.meta.wcs, *common["position"], info.mt_ra, info.mt_dec)
                del slit.meta.wcs
                slit.meta.wcs = wcs
                info.mt_avra, info.mt_avdec = common["position"]
        if background and common["steps"]["master_background"] == COMPLETE:
            with datamodels.open(background) as spectrum:
                subtract_2d_background(model, expand_to_2d(model, spectrum))
        for step, status in common["steps"].items():
            record_step_status(model, step, status=status)
        # As each step notes.
        model.meta.calibration_software_version = jwst.__version__
        model.meta.calibration_software_revision = jwst.__version_commit__ or "RELEASE"
        save_model(model, Path(output))


@contextmanager
def _errors_of_steps(path: str, fault: str, log: str = LOG_TO_STDERR) -> Iterator[None]:
    """Turn errors of steps, which raise many exception types, into sentences with the file."""
    try:
        yield
    except Exception as error:
        raise InputError(f"{path}: {fault} ({type(error).__name__}: {error}); see {log}") from error


def _read_metadata(path: str) -> dict[str, Any]:
    from stdatamodels.jwst.datamodels import read_metadata

    _check_exists(path)
    try:
        tree: dict[str, Any] = read_metadata(path, flatten=False)
    except Exception as error:
        reason = str(error).split(". ")[0]
        raise InputError(f"{path}: cannot be opened: {reason}; bring a sound file back") from None
    return tree


def _check_exists(path: str) -> None:
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such file; bring it back, or correct the association")


def _mean_position(trees: dict[str, dict[str, Any]]) -> list[float] | None:
    """Average the positions in first slits as assign_mtwcs does; None if any slit has none."""
    import numpy as np

    exposures = []
    for path, tree in trees.items():
        infos = [slit.get("meta", {}).get("wcsinfo") for slit in tree.get("slits") or ()]
        if not infos or None in infos:
            raise InputError(
                f"{path}: has no slits with a WCS, but its target moves; leave the exposure out"
            )
        exposures.append([[info.get(key) for key in ("mt_ra", "mt_dec")] for info in infos])
    if any(None in position for slits in exposures for position in slits):
        return None
    # To the last bit: numpy's sum of a column of a matrix has another order.
    columns = zip(*(slits[0] for slits in exposures), strict=True)
    return [float(np.array(column).mean()) for column in columns]
