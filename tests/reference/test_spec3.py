"""The later steps of the jwst package take our products, up to spectra."""

import subprocess
import sys

import numpy as np
import pytest
from snake import ROOT, Workflow
from stdatamodels.jwst import datamodels

from exp_to_source.simulate.exposures import Simulation, simulate

DONE = ("outlier_detection", "pixel_replace", "resample", "extract_1d", "combine_1d")


@pytest.mark.parametrize("mode", ["mos", "nircam-wfss"])
def test_spectra_from_products(mode, tmp_path):
    simulate(Simulation(mode=mode, sources=1, shape=(12, 40)), tmp_path / "data")
    work = Workflow(tmp_path / "work", {"exposures": tmp_path / "data"})
    work.make()
    (product,) = (work.folder / "results" / "products").iterdir()
    subprocess.run(
        [sys.executable, ROOT / "scripts" / "run_spec3.py", "--offline", product],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    name = product.name.removesuffix("_cal.fits")
    resampled = mode == "mos"
    files = {path.name for path in (tmp_path / "spec3").iterdir()}
    assert files == {f"{name}_{kind}.fits" for kind in ("s2d", "x1d", "c1d")[not resampled :]}
    with datamodels.open(tmp_path / "spec3" / f"{name}_x1d.fits") as spectra:
        for spectrum in spectra.spec:
            table = spectrum.spec_table
            # Noise on a pedestal: a sum over the cut-out is positive, with a smaller error.
            assert np.isfinite(table["FLUX"]).mean() > 0.9
            assert np.nanmin(table["FLUX"]) > np.nanmax(table["FLUX_ERROR"]) > 0
    with datamodels.open(tmp_path / "spec3" / f"{name}_c1d.fits") as combined:
        assert combined.meta.filename == f"{name}_c1d.fits"
        assert np.isfinite(combined.spec[0].spec_table["FLUX"]).mean() > 0.9
        steps = DONE if resampled else DONE[1:2] + DONE[3:]
        assert {combined.meta.cal_step.instance[step] for step in steps} == {"COMPLETE"}
