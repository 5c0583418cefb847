"""The later steps of stage 3, run by the jwst package on one source-based product."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import InputError

#: Environment in which CRDS neither contacts its server nor expects a cache of reference files.
OFFLINE = {
    "CRDS_SERVER_URL": "https://crds-serverless-mode.stsci.edu",
    "CRDS_CONTEXT": "jwst_0000.pmap",
    "STPIPE_DISABLE_CRDS_STEPPARS": "true",
}
#: Server configuration for CRDS, used instead of the server's answer.
SERVER = {"observatory": "jwst", "operational_context": OFFLINE["CRDS_CONTEXT"], "last_synced": ""}

#: Reference files of extract_1d; without them it sums the whole cut-out, without corrections.
REFERENCES = ("extract1d", "apcorr", "psf")


@contextmanager
def without_crds() -> Iterator[dict[str, str]]:
    """Set up CRDS to work without a network, before jwst is imported.

    Yields
    ------
    dict
        Options with which extract_1d needs no reference files.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config", "jwst", "server_config")
        config.parent.mkdir(parents=True)
        config.write_text(repr(SERVER), encoding="utf-8")
        os.environ.update(OFFLINE, CRDS_PATH=folder)
        yield {f"override_{name}": "N/A" for name in REFERENCES}


def run_spec3(product: Path, folder: Path, **extract: Any) -> list[Path]:
    """Run the steps that follow in calwebb_spec3 once exposures are regrouped.

    NIRSpec: outlier_detection, pixel_replace, resample_spec, extract_1d, combine_1d; WFSS spectra
    are not resampled, so there pixel_replace, extract_1d, combine_1d.

    Parameters
    ----------
    product : Path
        A source-based product, a `MultiExposureModel`.
    folder : Path
        Folder for the results, named after the product: ``_s2d`` (NIRSpec), ``_x1d``, ``_c1d``.
    **extract
        Options of extract_1d.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If the file is not a source-based product, or a step gave no result.
    """
    from jwst.combine_1d import Combine1dStep
    from jwst.datamodels import SourceModelContainer
    from jwst.extract_1d import Extract1dStep
    from jwst.outlier_detection import OutlierDetectionStep
    from jwst.pixel_replace import PixelReplaceStep
    from jwst.resample import ResampleSpecStep
    from stdatamodels.jwst import datamodels

    if not product.is_file():
        raise InputError(f"{product}: no such file; mend its path, or make the product")
    try:
        opened = datamodels.open(product)
    except Exception as error:  # Errors of many types, with messages that say what is wrong.
        reason = str(error).split(". ")[0]
        raise InputError(
            f"{product}: cannot be opened: {reason}; give a product of exposures that can"
        ) from None
    results: dict[str, Any] = {}
    with opened as model:
        if not isinstance(model, datamodels.MultiExposureModel):
            raise InputError(
                f"{product}: a {type(model).__name__}, not a MultiExposureModel; "
                "give a product of this workflow"
            )
        # Given the product itself, the steps treat it as one exposure.
        spectra: Any = SourceModelContainer(model)
        if model.meta.instrument.name == "NIRSPEC":
            spectra = OutlierDetectionStep.call(spectra, configure_log=False)
        spectra = PixelReplaceStep.call(spectra, skip=False, configure_log=False)
        if model.meta.instrument.name == "NIRSPEC":
            spectra = results["s2d"] = ResampleSpecStep.call(spectra, configure_log=False)
        results["x1d"] = Extract1dStep.call(spectra, configure_log=False, **extract)
        if results["x1d"] is None:
            raise InputError(f"{product}: extract_1d gave no spectrum; see what it says above")
        results["c1d"] = Combine1dStep.call(results["x1d"], configure_log=False)
        name = product.name.removesuffix(".fits").removesuffix("_cal")
        return [_save(model, folder / f"{name}_{kind}.fits") for kind, model in results.items()]


def _save(model: Any, path: Path) -> Path:
    """Save a data model atomically; it records the name of its file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".", suffix=".part") as folder:
        os.replace(model.save(Path(folder, path.name)), path)
    model.close()
    return path
