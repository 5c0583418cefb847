"""The later steps of stage 3, run by the jwst package on one source-based product."""

import hashlib
import importlib.util
import logging
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import InputError, exit_on_user_error
from ..failures import record_failure
from ..files import fsync, temporary_beside, write_file
from ..modes import is_grism
from ..results import CAL, GRISM_SPECTRA, SLIT_SPECTRA, SPECTRA
from .references import NO_PARAMETERS, Parameters, check_references

#: Where messages are if they are not in a file.
LOG_TO_STDERR = "the messages above"


def require_jwst() -> None:
    """Check that the jwst package is installed, which the workflow needs for nothing else."""
    if importlib.util.find_spec("jwst") is None:
        raise InputError(
            "the jwst package is not installed; 'make spec3' or 'pip install jwst' installs it"
        )


def extract_all(
    products: Mapping[str, str | None], folder: str, record: str | None = None, **options: Any
) -> None:
    """Extract the spectra of one product after another, and print the files written.

    Products come with their digests. A failure is recorded in `record`, or ends the program.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
    )
    for name, digest in products.items():
        product = Path(name)
        try:
            with exit_on_user_error("exp-to-source spec3"):
                for path in extract(product, Path(folder), digest=digest, **options):
                    print(path)
        except SystemExit as failure:
            if not record:
                raise
            spectrum = Path(folder) / f"{product.name.removesuffix(CAL)}_x1d.fits"
            record_failure(record, [str(spectrum)], str(failure))
            print(failure, file=sys.stderr)


def extract(
    product: Path,
    folder: Path,
    offline: bool = False,
    parameters: Parameters = NO_PARAMETERS,
    background: Collection[str] = (),
    digest: str | None = None,
    log: str = LOG_TO_STDERR,
) -> list[Path]:
    """Run the steps that follow in calwebb_spec3 once exposures are regrouped.

    NIRSpec: outlier_detection, resample_spec, extract_1d, and what its parameters turn on
    (``_crf``, ``_s2d``, ``_x1d``). WFSS: extract_1d, combine_1d (``_x1d``, ``_c1d``). Returns the
    files written, named after the product, and writes its digest beside them.

    Without reference files, extract_1d takes the whole cut-out. `background` has the names of the
    association tables that have background members; `log` is where the messages of the steps are,
    for a sentence.
    """
    stem = product.name.removesuffix(CAL)
    # Those of another state of the product; Snakemake knows of the spectrum only.
    digest_file = folder / "digests" / f"{stem}.txt"
    for path in (digest_file, *(folder / f"{stem}_{kind}.fits" for kind in SPECTRA)):
        path.unlink(missing_ok=True)
    with open_product(product) as model:
        from . import pipeline

        exposure_type = model.meta.exposure.type or ""
        units = {entry.meta.bunit_data for entry in model.exposures}
        pipeline.check_calibrated(product, exposure_type, units)
        pipeline.check_prepared(product, model, background)
        steps = pipeline.without_references() if offline else {}
        for step, values in parameters.items():
            steps[step] = steps.get(step, {}) | dict(values)
        kinds = GRISM_SPECTRA if is_grism(exposure_type) else SLIT_SPECTRA
        names = [f"{stem}_{kind}.fits" for kind in kinds]
        with output_folder(folder, names) as temporary:
            try:
                _run_steps(product, model, stem, temporary, steps)
            except Exception as error:
                if type(error).__module__.partition(".")[0] == "crds":
                    check_references(product)
                # Steps raise many exception types.
                raise InputError(
                    f"{product}: a step failed ({type(error).__name__}: {error}); see {log}"
                ) from error
            if missing := [name for name in names if not (temporary / name).is_file()]:
                raise InputError(
                    f"{product}: the steps wrote no {', '.join(missing)}: one of them failed, or "
                    f"parameters of CRDS skip it; see {log}"
                )
    if digest:
        with open(folder / f"{stem}_x1d.fits", "rb") as spectrum:
            content = hashlib.file_digest(spectrum, "sha256").hexdigest()
        write_file(digest_file, f"{digest} {content}\n".encode())
    return [folder / name for name in names]


def _run_steps(
    product: Path, model: Any, stem: str, folder: Path, steps: dict[str, dict[str, Any]]
) -> None:
    """Run the steps on an opened product; validate all values only if one of them is invalid."""
    from asdf.exceptions import ValidationError

    from .pipeline import run_on_product

    try:
        run_on_product(model, stem, folder, steps, validate=False)
    except ValidationError:
        # Of the product as it is on the disk: steps change it.
        with open_product(product) as unchanged:
            run_on_product(unchanged, stem, folder, steps)


@contextmanager
def output_folder(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Give a temporary folder, whose files of these names get into another once all are there."""
    temporary = Path(temporary_beside(folder / names[0]))
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for name in names:
            fsync(temporary / name)
            (temporary / name).replace(folder / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def save_model(model: Any, path: Path) -> None:
    """Save a data model, which notes the name of its file; the file is absent or complete."""
    with output_folder(path.parent, [path.name]) as folder:
        model.save(folder / path.name)


def open_product(product: Path) -> Any:
    """Open a product; raise `InputError` if it is not a source-based product, or damaged."""
    import asdf
    from stdatamodels.jwst import datamodels

    if not product.is_file():
        raise InputError(f"{product}: no such file; correct its path, or make the product")
    if not product.name.endswith(CAL):
        raise InputError(f"{product}: is not a product (*{CAL}); give one of this workflow")
    try:
        # What is saved is validated; asdf announces that it will not validate what it reads.
        with asdf.config_context() as config:
            config.validate_on_read = False
            model = datamodels.open(product)
    except Exception as error:
        # Of many types, and their messages are good.
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
