"""A product split into its slits: each is the slit of its exposure."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from jwst_reference import regroup
from stdatamodels.jwst import datamodels

from exp_to_source.errors import InputError
from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.spec3 import slits


def make_product(folder: Path, simulation: Simulation) -> Path:
    """Regroup simulated exposures of one source."""
    (product,) = regroup(simulate(simulation, folder / "exposures"), folder)
    return product


def test_slit_has_pixels_wcs_and_metadata_of_its_exposure(tmp_path: Path):
    product = make_product(tmp_path, Simulation(shape=(4, 8), exposures=2, source_ids=(61,)))
    paths = slits.split_product(product, tmp_path / "slits")
    exposures = [f"jw10006010001_03101_0000{n}_nrs1" for n in (1, 2)]
    assert [path.name for path in paths] == [f"{e}_phot.001.10006_61.fits" for e in exposures]
    for path, exposure in zip(paths, exposures, strict=True):
        with (
            datamodels.open(path) as slit,
            datamodels.open(tmp_path / "exposures" / f"{exposure}_cal.fits") as model,
        ):
            assert isinstance(slit, datamodels.SlitModel)
            assert slit.meta.dither.instance == model.meta.dither.instance
            assert slit.meta.exposure.instance == model.meta.exposure.instance
            assert np.array_equal(slit.data, model.slits[0].data, equal_nan=True)
            assert slit.meta.wcs(2, 3) == model.slits[0].meta.wcs(2, 3)
            assert slit.source_id == 61 and slit.meta.instrument.name == "NIRSPEC"
    starts = [fits.getval(path, "EXPSTART") for path in paths]
    assert starts[0] < starts[1]


def test_orders_of_grisms_are_files_apart(tmp_path: Path):
    simulation = Simulation(
        shape=(4, 8), exposures=1, source_ids=(7,), mode="nircam-wfss", orders=(1, 2)
    )
    product = make_product(tmp_path, simulation)
    names = [path.name for path in slits.split_product(product, tmp_path / "slits")]
    exposure = "jw10006010001_03101_00001_nrcalong"
    assert names == [f"{exposure}_phot.order{order}.7.fits" for order in (1, 2)]


def test_slits_of_one_name_do_not_replace_each_other(tmp_path: Path):
    product = make_product(tmp_path, Simulation(shape=(4, 8), exposures=2, source_ids=(61,)))
    with datamodels.open(product) as model:
        for entry in model.exposures:
            entry.meta.filename = "same_cal.fits"
        model.save(tmp_path / "edited_cal.fits")
    with pytest.raises(InputError, match=r"edited_cal\.fits: two of its slits would be .*; give"):
        slits.split_product(tmp_path / "edited_cal.fits", tmp_path / "slits")
