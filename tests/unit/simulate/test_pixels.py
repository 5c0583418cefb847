"""Simulated pixels look like data: sources, noise, nods."""

from pathlib import Path

import numpy as np
import pytest
from stdatamodels.jwst import datamodels

from exp_to_source.simulate.exposures import simulate
from exp_to_source.simulate.images import simulate_source
from exp_to_source.simulate.modes import Simulation

SHAPE = (30, 60)
BAND = (1.66, 3.17)


def flux(slit) -> np.ndarray:
    """Values of a slit in µJy."""
    area = slit.meta.photometry.pixelarea_steradians if slit.source_type == "EXTENDED" else 1
    return np.ma.masked_invalid(slit.data.astype(float) * area * 1e12)


def test_pixels_of_sources_and_of_slits_without_one(tmp_path: Path):
    """In all exposures, sources have their flux to within the noise, where the WCS has them."""
    options = {"sources": 4, "background": 1, "exposures": 2, "shape": SHAPE}
    brightness, rows, places = [], [], []
    for path in simulate(Simulation(**options), tmp_path):
        with datamodels.open(path) as model:
            fluxes = [flux(slit) for slit in model.slits[:4]]
            for slit, values in zip(model.slits[:4], fluxes, strict=True):
                columns = slit.data.shape[1]
                source = simulate_source(0, slit.source_id, BAND)
                truth = source.spectrum(np.linspace(*BAND, columns))
                error = np.sqrt(np.ma.masked_invalid(slit.err.astype(float) ** 2).sum())
                unit = values.mean() / np.nanmean(slit.data)
                total = values.mean(axis=1).sum() * columns
                assert abs(total - truth.sum()) < 5 * unit * error + 0.02 * truth.sum()
                brightness.append(np.median(truth))
            for slit in model.slits[4:]:
                pulls = np.ma.masked_invalid(slit.data / slit.err)
                assert abs(pulls.mean()) < 0.1
                assert pulls.std() == pytest.approx(1, abs=0.05)
            # Nods move the trace.
            brightest = max(range(4), key=lambda number: fluxes[number].sum())
            slit, profile = model.slits[brightest], fluxes[brightest].mean(axis=1)
            rows.append(float((np.arange(len(profile)) * profile).sum() / profile.sum()))
            to_slit = slit.meta.wcs.get_transform("detector", "slit_frame")
            assert to_slit(30.0, rows[-1])[1] == pytest.approx(slit.source_ypos, abs=0.1)
            places.append(slit.meta.wcs(30.0, rows[-1])[:2])
    assert max(brightness) > 10 * min(brightness)
    assert min(brightness) < 1
    assert np.ptp(rows) == pytest.approx(5, abs=0.5)
    # It is one place in the sky, to within a tenth of the nod.
    assert np.ptp(places, axis=0)[1] * 3600 < 0.05


def test_a_source_is_the_same_in_whatever_it_is_simulated_with():
    assert simulate_source(0, 59, BAND) == simulate_source(0, 59, BAND)
    assert simulate_source(0, 59, BAND) != simulate_source(1, 59, BAND)
    several = [simulate_source(0, number, BAND) for number in range(-50, 200)]
    fluxes = [source.flux for source in several]
    assert max(fluxes) / min(fluxes) > 100
    assert 0.1 < np.mean([source.lines == 0 for source in several]) < 0.3
    assert all(source.redshift > 0 for source in several)
