"""A product, split into a file for each slit, as packages want it that combine slits themselves."""

from pathlib import Path

from ..errors import InputError
from ..modes import is_grism
from ..results import CAL
from .steps import open_product, save_model


def split_product(product: Path, folder: Path) -> list[Path]:
    """Write each entry of a product as a `SlitModel`; return the files, in the order of entries.

    They are named as by msaexp, ``<exposure>_phot.<slit>.<source>.fits``: of a source, msaexp
    (``slit_combine.split_visit_groups``) combines those of one visit, detector and slit. Grism
    spectra have the spectral order instead of a slit, and sources without a name their SOURCEID.

    An entry has the metadata of its exposure. Those of the product, which are of its first
    exposure, would replace dither and times by that one's (``SlitModel.update``).
    """
    from stdatamodels.jwst import datamodels

    paths: list[Path] = []
    with open_product(product) as model:
        for entry in model.exposures:
            exposure = (entry.meta.filename or product.name).removesuffix(CAL)
            order = f"order{entry.meta.wcsinfo.spectral_order}"
            slit = order if is_grism(entry.meta.exposure.type or "") else entry.name
            name = f"{exposure}_phot.{slit:0>3}.{entry.source_name or entry.source_id}.fits"
            path = folder / name.replace("/", "-")
            if path in paths:
                raise InputError(
                    f"{product}: two of its slits would be {path}; give a product without them"
                )
            save_model(datamodels.SlitModel(entry.instance), path)
            paths.append(path)
    return paths
