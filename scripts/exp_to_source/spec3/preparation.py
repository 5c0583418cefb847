"""What Spec3Pipeline does to exposures before it regroups them, an exposure at a time.

Moving targets get a common WCS (assign_mtwcs); the spectra of background members are combined and
subtracted (master_background). What needs all exposures of an association is gathered once.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ..errors import InputError
from ..files import atomic_write, size_and_mtime, write_all
from ..sources.associations import read_association
from .saving import save_whole
from .steps import ABOVE

#: Steps after which no background is left to be subtracted
#: (``jwst.master_background.MasterBackgroundStep``).
SUBTRACTED = ("bkg_subtract", "master_background")

COMPLETE, SKIPPED = "COMPLETE", "SKIPPED"


def survey_association(association: str, output: str) -> None:
    """Write down what the exposures of an association have in common.

    Parameters
    ----------
    association : str
        Its path.
    output : str
        JSON with ``position``: mean RA and Dec of a moving target (degrees), or null; ``steps``:
        status of the steps that prepare exposures, as in ``meta.cal_step``; ``members``: size and
        time of each file, by which a later run knows whether it is the same.

    Raises
    ------
    InputError
        If a member is no file, or cannot be opened.
    """
    asked = read_association(association)
    for path in asked.members:
        _require(path)
    stamps = {path: size_and_mtime(path) for path in (association, *asked.members)}
    members = [_read(path) for path in asked.members]
    science = members[: len(asked.science)]
    steps: dict[str, str] = {}
    position = None
    if str(science[0]["meta"].get("target", {}).get("type")).upper() == "MOVING":
        slits = [_positions(*pair) for pair in zip(asked.science, science, strict=True)]
        if all(_has_position(info) for own in slits for info in own):
            firsts = [own[0] for own in slits]
            position = [_mean([info[key] for info in firsts]) for key in ("mt_ra", "mt_dec")]
        else:
            print(
                f"{association}: slits have no MT_RA or MT_DEC, so assign_mtwcs changes nothing, "
                "as in the pipeline; the target will be misaligned",
                file=sys.stderr,
            )
        # As the step says in either case.
        steps["assign_mtwcs"] = COMPLETE
    if asked.background:
        done = any(_status(member, step) == COMPLETE for member in members for step in SUBTRACTED)
        steps["master_background"] = SKIPPED if done else COMPLETE
    found = {"position": position, "steps": steps, "members": stamps}
    text = json.dumps(found, indent=1)
    with atomic_write(output) as file:
        write_all(file, f"{text}\n".encode())


def combine_background(association: str, output: str) -> None:
    """Combine the background members of an association, as MasterBackgroundStep does.

    Parameters
    ----------
    association : str
        Its path.
    output : str
        The combined spectrum, a `CombinedSpecModel`.

    Raises
    ------
    InputError
        If a member is no file, or no spectrum.
    """
    from jwst.datamodels import ModelContainer
    from jwst.master_background.master_background_step import MasterBackgroundStep

    for member in read_association(association).background:
        _require(member)
    step = MasterBackgroundStep()
    step.save_background = True
    # A survey says whether it is to be subtracted.
    step.force_subtract = True
    found: list[Any] = []
    with (
        _told(association, "its background members cannot be combined"),
        patch.object(step, "save_model", lambda model, **_: found.append(model)),
        patch.object(step, "save_container", lambda *_, **__: None),
        ModelContainer(association, asn_exptypes=["background"]) as members,
    ):
        step.process(members)
        save_whole(found[0], Path(output))


def prepare_exposure(
    exposure: str, output: str, survey: str, background: str | None, log: str = ABOVE
) -> None:
    """Do to an exposure what the pipeline does before it regroups.

    Parameters
    ----------
    exposure, output : str
        The exposure, and what becomes of it.
    survey : str
        What `survey_association` wrote.
    background : str or None
        What `combine_background` wrote, if the association has background members.
    log : str
        Where the messages of the steps are, for the sentence that says that one failed.

    Raises
    ------
    InputError
        If the exposure cannot be opened, or a step fails.
    """
    import jwst
    from jwst.assign_mtwcs.moving_target_wcs import add_mt_frame
    from jwst.master_background.expand_to_2d import expand_to_2d
    from jwst.master_background.master_background_step import subtract_2d_background
    from jwst.stpipe import record_step_status
    from stdatamodels.jwst import datamodels

    found = json.loads(Path(survey).read_text(encoding="utf-8"))
    _require(exposure)
    if not found["steps"]:
        with open(exposure, "rb") as source, atomic_write(output) as target:
            shutil.copyfileobj(source, target)
        return
    with _told(exposure, "cannot be prepared", log), datamodels.open(exposure) as model:
        if found["position"]:
            for slit in model.slits:
                info = slit.meta.wcsinfo
                moved = add_mt_frame(slit.meta.wcs, *found["position"], info.mt_ra, info.mt_dec)
                del slit.meta.wcs
                slit.meta.wcs = moved
                info.mt_avra, info.mt_avdec = found["position"]
        if background and found["steps"]["master_background"] == COMPLETE:
            with datamodels.open(background) as spectrum:
                subtract_2d_background(model, expand_to_2d(model, spectrum))
        for step, status in found["steps"].items():
            record_step_status(model, step, status=status)
        # As each step notes.
        model.meta.calibration_software_version = jwst.__version__
        model.meta.calibration_software_revision = jwst.__version_commit__ or "RELEASE"
        save_whole(model, Path(output))


@contextmanager
def _told(path: str, what: str, log: str = ABOVE) -> Iterator[None]:
    """Have errors of steps, which fail in as many ways as there are of them, name the file."""
    try:
        yield
    except Exception as error:
        raise InputError(f"{path}: {what} ({type(error).__name__}: {error}); see {log}") from error


def _read(path: str) -> dict[str, Any]:
    """Metadata of an exposure, as a tree."""
    from stdatamodels.jwst.datamodels import read_metadata

    try:
        found: dict[str, Any] = read_metadata(path, flatten=False)
    except Exception as error:
        reason = str(error).split(". ")[0]
        raise InputError(f"{path}: cannot be opened: {reason}; bring a sound file back") from None
    return found


def _require(path: str) -> None:
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such file; bring it back, or correct the association")


def _positions(path: str, exposure: dict[str, Any]) -> list[dict[str, Any]]:
    """Metadata with the position of a moving target, of each slit of an exposure."""
    slits = exposure.get("slits")
    if not slits or not all("wcsinfo" in slit.get("meta", {}) for slit in slits):
        raise InputError(
            f"{path}: has no slits with a WCS, but its target moves; leave the exposure out"
        )
    return [slit["meta"]["wcsinfo"] for slit in slits]


def _has_position(info: dict[str, Any]) -> bool:
    return info.get("mt_ra") is not None and info.get("mt_dec") is not None


def _mean(values: Sequence[float]) -> float:
    """Mean as assign_mtwcs has it, to the last bit."""
    import numpy as np

    return float(np.array(values).mean())


def _status(meta: dict[str, Any], step: str) -> str | None:
    status: str | None = meta["meta"].get("cal_step", {}).get(step)
    return status
