"""The process of the installed Spec3Pipeline, run on one source-based product.

The pipeline regroups exposures, then runs its steps on one source after another. Here the product
takes the place of what it regroups, so that order, skips, suffixes and parameters of the steps are
those of the installed version. What is used of jwst beyond its documents is in this file:
`test_pipeline.py` compares the results with those of the pipeline on the same exposures.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import jwst
from asdf.schema import YAML_VALIDATORS
from jwst import extract_1d
from jwst.datamodels import ModelContainer, SourceModelContainer
from jwst.lib.exposure_types import is_moving_target
from jwst.pipeline import calwebb_spec3
from stdatamodels import fits_support
from stdatamodels.jwst import datamodels

from ..errors import InputError
from ..naming import precedes
from .preparation import COMPLETE, SKIPPED, SUBTRACTED

#: First version whose Spec3Pipeline does not extract spectra of WFSS.
WFSS_OF_SPECTRA = (3, 1)

#: Reference file of extract_1d for NIRSpec in runs without CRDS.
EXTRACT1D = Path(__file__).with_name("extract1d.json")

#: Unit of pixels whose flux is not calibrated.
COUNT_RATE = "DN/s"

#: Reason why a source has no combined spectrum, though it was extracted.
NO_PIXEL = "no valid pixel to combine"


class Extract1dStep(extract_1d.Extract1dStep):  # type: ignore[misc]
    """The step, which does not record where this package is installed."""

    def finalize_result(self, result: Any, references: Sequence[tuple[str, str]]) -> None:
        """Record the reference files that were used."""
        own = f"{EXTRACT1D.parents[1].name}/{EXTRACT1D.name}"
        names = [(kind, own if path == str(EXTRACT1D) else path) for kind, path in references]
        super().finalize_result(result, names)


class Spec3Pipeline(calwebb_spec3.Spec3Pipeline):  # type: ignore[misc]
    """The pipeline for one source, of the same name, by which CRDS knows its parameters."""

    step_defs = calwebb_spec3.Spec3Pipeline.step_defs | {"extract_1d": Extract1dStep}

    def save_model(self, model: Any, suffix: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """Save a model, but not the product, which exists already."""
        return None if suffix == "cal" else super().save_model(model, suffix, *args, **kwargs)

    def _populate_wfss_sregion(self, *_: Any) -> None:
        """Leave the footprint of the exposures, which are not here, to `set_footprint`."""


def run_on_product(
    model: Any, stem: str, folder: Path, steps: dict[str, dict[str, Any]], validate: bool = True
) -> None:
    """Run the steps that follow regrouping on a product; write ``<folder>/<stem>_*.fits``.

    Parameters by step are those of ``Spec3Pipeline.call``. With `validate`, values that the
    schemas do not allow are left out, with a warning. Without, which is faster, values are
    validated once, when they are saved, which raises `asdf.exceptions.ValidationError`.
    """
    # Wide-field spectra are saved under the association's name as it is, all others in
    # `output_dir`.
    if model.meta.exposure.type in calwebb_spec3.WFSS_TYPES:
        stem = str(folder / stem)
    with _patched_pipeline(model), nullcontext() if validate else _validated_when_saved():
        Spec3Pipeline.call(
            _stand_in_exposures(model, stem),
            save_results=True,
            output_dir=str(folder),
            configure_log=False,
            steps=steps,
        )


def check_calibrated(path: object, exposure_type: str, units: Collection[str]) -> None:
    """Check that the installed pipeline makes spectra in Jy, by EXP_TYPE and units of pixels."""
    if exposure_type not in calwebb_spec3.WFSS_TYPES:
        return
    # Builds of the main branch count from the last release: 3.0.1.dev300.
    is_release = ".dev" not in jwst.__version__
    if not (is_release and precedes(jwst.__version__, WFSS_OF_SPECTRA)):
        raise InputError(
            f"{path}: WFSS spectra need jwst 3.0.x; {jwst.__version__} is installed, whose "
            "Spec3Pipeline combines the spectra of exposures (*_x1d.fits) instead; install jwst "
            "3.0.x, or run that pipeline on the association"
        )
    if COUNT_RATE in units:
        raise InputError(
            f"{path}: its pixels are in {COUNT_RATE}, as pipelines after 3.0.x calibrate the flux "
            f"of WFSS after extraction, which jwst {jwst.__version__} does not; run Spec3Pipeline "
            "of such a version on the spectra of the exposures (*_x1d.fits), or calibrate the "
            "exposures with jwst 3.0.x"
        )


def check_prepared(path: object, model: Any, background: Collection[str]) -> None:
    """Check that the exposures of a product are as the pipeline has them when it regroups.

    `background` has the names of the association tables with background members.
    """
    statuses = [entry.meta.cal_step for entry in model.exposures]
    if is_moving_target(model) and any(step.assign_mtwcs != COMPLETE for step in statuses):
        raise InputError(
            f"{path}: its target moves, for which the pipeline changes the WCS of all exposures "
            "before it regroups; set 'prepare: true', or use exposures after assign_mtwcs"
        )
    if model.meta.asn.table_name in background and not any(
        getattr(step, name) == COMPLETE for step in statuses for name in SUBTRACTED
    ):
        raise InputError(
            f"{path}: its association has background members, which the pipeline subtracts before "
            "it regroups; set 'prepare: true', or use exposures after master_background "
            "(*_mbsub.fits)"
        )


def set_footprint(model: Any, wcs: Any, footprints: Sequence[str]) -> None:
    """Set S_REGION of a table of spectra to the union of footprints, by the WCS of a slit."""
    metas = [
        SimpleNamespace(wcs=wcs, wcsinfo=SimpleNamespace(s_region=region or None))
        for region in footprints
    ]
    exposures = [SimpleNamespace(slits=[SimpleNamespace(meta=meta)]) for meta in metas]
    calwebb_spec3.Spec3Pipeline._populate_wfss_sregion(None, model, exposures)


def no_combined_spectra(model: Any) -> Any:
    """Make an empty table of combined spectra, with the metadata of a model.

    The pipeline writes no file then.
    """
    table = datamodels.WFSSMultiCombinedSpecModel()
    table.update(model, only="PRIMARY")
    table.meta.cal_step.combine_1d = SKIPPED
    table.add_history_entry(NO_PIXEL)
    return table


def without_references() -> dict[str, dict[str, Any]]:
    """Build the parameters by which no step looks for reference files in CRDS.

    Spectra of slits are extracted about the place of the source; without any such reference
    file, extract_1d sums the whole cut-out. It asks for none for grisms.
    """
    own = {"extract1d": str(EXTRACT1D)}
    steps: dict[str, dict[str, Any]] = {
        name: {f"override_{kind}": own.get(kind, "N/A") for kind in step.reference_file_types}
        for name, step in calwebb_spec3.Spec3Pipeline.step_defs.items()
        if step.reference_file_types
    }
    # By default, and whatever the file has, the middle of the slit if the source is extended.
    steps["extract_1d"]["use_source_posn"] = True
    return steps


@contextmanager
def _validated_when_saved() -> Iterator[None]:
    """Let stdatamodels validate values when they are saved, not when they are assigned.

    Saved values may then not be "N/A", "#TODO" or empty text instead of a number, either.
    """
    with (
        patch.dict(os.environ, {"VALIDATE_ON_ASSIGNMENT": "false"}),
        patch.object(fits_support, "_fits_type", lambda _, *args: YAML_VALIDATORS["type"](*args)),
    ):
        yield


@contextmanager
def _patched_pipeline(model: Any) -> Iterator[None]:
    """Replace the pipeline's regrouping of exposures by a product."""
    source = SourceModelContainer(model)
    for entry in source:
        # As the pipeline notes of the members of an association.
        entry.meta.asn.exptype = "science"
    functions: dict[str, Any] = {
        "multislit_to_container": lambda _: {str(source[0].source_id): source},
        # With an ending: steps would take what follows a dot of the name for it.
        "format_product": lambda name, **_: f"{Path(name).name}.fits",
    }
    if model.meta.exposure.type in calwebb_spec3.WFSS_TYPES:
        combine = calwebb_spec3.make_wfss_multicombined
        # A source without a valid pixel has none; the pipeline goes on with the others.
        functions["make_wfss_multicombined"] = lambda spectra: (
            combine(spectra) if spectra else no_combined_spectra(model)
        )
    with patch.multiple(calwebb_spec3, **functions):
        yield


def _stand_in_exposures(model: Any, stem: str) -> ModelContainer:
    """Build an association of one exposure without slits, as the pipeline needs its type only."""
    exposure = datamodels.MultiSlitModel()
    exposure.update(model)
    # Moving targets get their WCS before exposures are regrouped.
    exposure.meta.target.type = None
    container = ModelContainer()
    container.append(exposure)
    pool = model.meta.asn.pool_name or ""
    member = {"expname": exposure.meta.filename or "exposure", "exptype": "science"}
    container.asn_table = {
        "asn_id": stem.rpartition("-")[2],
        "asn_pool": pool,
        "products": [{"name": stem, "members": [member]}],
    }
    container.asn_table_name = model.meta.asn.table_name or ""
    container.asn_pool_name = pool
    return container
