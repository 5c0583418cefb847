"""The later steps of stage 3, run by the jwst package on one source-based product."""

import importlib.util
import json
import logging
import os
import shutil
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..errors import InputError, exit_on_user_error
from ..failures import record_failure
from ..files import fsync, temporary_beside
from ..modes import is_grism
from ..results import CAL, GRISM_SPECTRA, SLIT_SPECTRA, SPECTRA
from .references import refuse_missing

#: No parameters but the steps' own.
NONE: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


#: Where messages are if they are in no file.
ABOVE = "the messages above"


def is_offline(found: Path) -> bool:
    """Whether settings, or what was found for them, say to do without CRDS."""
    return bool(json.loads(found.read_text(encoding="utf-8"))["offline"])


def require_jwst() -> None:
    """Refuse to go on without the jwst package, which the workflow needs for nothing else."""
    if importlib.util.find_spec("jwst") is None:
        raise InputError("the jwst package is not installed; install it by 'make spec3'")


def run_all(
    products: Iterable[str],
    folder: str,
    offline: bool,
    parameters: Mapping[str, Mapping[str, Any]],
    background: Collection[str] = (),
    record: str | None = None,
    log: str = ABOVE,
) -> None:
    """Run the steps on one product after another, and print what was made.

    Parameters
    ----------
    products, folder, offline, parameters, background, log
        As of `run_spec3`.
    record : str, optional
        Where to record a failure, instead of ending in it.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
    )
    for product in map(Path, products):
        try:
            with exit_on_user_error("run_spec3"):
                settings = (offline, parameters, background, log)
                for path in run_spec3(product, Path(folder), *settings):
                    print(path)
        except SystemExit as failure:
            if not record:
                raise
            spectrum = Path(folder) / f"{product.name.removesuffix(CAL)}_x1d.fits"
            record_failure(record, [str(spectrum)], str(failure))
            print(failure, file=sys.stderr)


def run_spec3(
    product: Path,
    folder: Path,
    offline: bool = False,
    parameters: Mapping[str, Mapping[str, Any]] = NONE,
    background: Collection[str] = (),
    log: str = ABOVE,
) -> list[Path]:
    """Run the steps that follow in calwebb_spec3 once exposures are regrouped.

    NIRSpec: outlier_detection, resample_spec, extract_1d, and what its parameters turn on. WFSS:
    extract_1d, combine_1d.

    Parameters
    ----------
    product : Path
        A source-based product, a `MultiExposureModel`.
    folder : Path
        Where the results go, named after the product: ``_crf``, ``_s2d``, ``_x1d`` (NIRSpec),
        ``_x1d``, ``_c1d`` (WFSS).
    offline : bool
        Whether to do without reference files; extract_1d then takes the whole cut-out.
    parameters : mapping
        Parameters by step, as ``Spec3Pipeline.call(steps=...)`` takes them.
    background : collection of str
        Names of the association tables that have background members.
    log : str
        Where the messages of the steps are, for the sentence that says that one failed.

    Returns
    -------
    list of Path
        The files written; the spectrum is the last.

    Raises
    ------
    InputError
        If jwst is not installed, the file is no source-based product that can be opened, it needs
        what the pipeline does before it regroups, or a step failed or gave nothing.
    """
    require_jwst()
    stem = product.name.removesuffix(CAL)
    # Of another state of the product; Snakemake knows of the spectrum only.
    for kind in SPECTRA:
        (folder / f"{stem}_{kind}.fits").unlink(missing_ok=True)
    model = open_product(product)
    from .pipeline import is_uncalibrated, is_unprepared, run_on_product, without_references

    units = {entry.meta.bunit_data for entry in model.exposures}
    what = is_uncalibrated(model.meta.exposure.type, units) or is_unprepared(model, background)
    if what:
        model.close()
        raise InputError(f"{product}: {what}")

    steps = without_references() if offline else {}
    for step, own in parameters.items():
        steps[step] = steps.get(step, {}) | dict(own)
    grism = is_grism(model.meta.exposure.type or "")
    wanted = [folder / f"{stem}_{kind}.fits" for kind in (GRISM_SPECTRA if grism else SLIT_SPECTRA)]
    made = Path(temporary_beside(folder / stem))
    made.mkdir(parents=True)
    try:
        try:
            with model:
                run_on_product(model, stem, made, steps)
        except Exception as error:
            if type(error).__module__.partition(".")[0] == "crds":
                refuse_missing(product)
            # Steps fail in as many ways as there are of them.
            raise InputError(
                f"{product}: a step failed ({type(error).__name__}: {error}); see {log}"
            ) from error
        if missing := [path.name for path in wanted if not (made / path.name).is_file()]:
            raise InputError(
                f"{product}: the steps made no {', '.join(missing)}: one of them gave nothing, or "
                f"parameters of CRDS skip it; see {log}"
            )
        for path in wanted:
            fsync(made / path.name)
            os.replace(made / path.name, path)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return wanted


def open_product(product: Path) -> Any:
    """Open a product; refuse what is no source-based product, or cannot be opened."""
    from stdatamodels.jwst import datamodels

    if not product.is_file():
        raise InputError(f"{product}: no such file; correct its path, or make the product")
    if not product.name.endswith(CAL):
        raise InputError(f"{product}: is no product (*{CAL}); give one of this workflow")
    try:
        model = datamodels.open(product)
    except Exception as error:
        # Of many kinds, and they say what is wrong.
        reason = str(error).split(". ")[0]
        raise InputError(
            f"{product}: cannot be opened: {reason}; give a product of exposures that can"
        ) from None
    if not isinstance(model, datamodels.MultiExposureModel):
        model.close()
        raise InputError(
            f"{product}: a {type(model).__name__}, not a MultiExposureModel; "
            "give a product of this workflow"
        )
    return model
