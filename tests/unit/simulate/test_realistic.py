"""Realistic exposures look like those of flight: each property, measured in both alike."""

from pathlib import Path

import numpy as np
import pytest
from eras import DATA, unpack
from stdatamodels.jwst import datamodels
from stdatamodels.jwst.datamodels.dqflags import pixel as flags

from exp_to_source.simulate.exposures import simulate
from exp_to_source.simulate.modes import Simulation

FLIGHT = DATA / "flight" / "jw01345062001_03101_00001_nrs2_cal.fits.xz"
OUTSIDE = flags["DO_NOT_USE"] | flags["NO_FLAT_FIELD"] | flags["UNRELIABLE_FLAT"]


def simulate_model(folder: Path, number: int = 1, **options) -> datamodels.MultiSlitModel:
    paths = simulate(Simulation(exposures=number, realistic=True, **options), folder)
    return datamodels.open(paths[-1])


def fraction(mask: np.ndarray, within: np.ndarray) -> float:
    return float(mask[within].mean())


def measure_rise(slit) -> float:
    """Return how many rows the middle of a slit rises or falls along its spectrum."""
    rows, columns = np.indices(slit.data.shape)
    _, y_slit, _ = slit.meta.wcs.get_transform("detector", "slit_frame")(columns, rows)
    y_slit -= (slit.slit_ymin + slit.slit_ymax) / 2
    usable = np.isfinite(y_slit).sum(axis=0) > 5
    # Positions fall with rows in one and rise in the other.
    middles = np.nanargmin(np.abs(y_slit[:, usable]), axis=0)
    return float(np.ptp(middles))


def test_slits_look_like_that_of_flight(tmp_path: Path):
    """Edges, gap, WCS, bars, flags, corrections and sizes."""
    flight = datamodels.open(unpack(FLIGHT, tmp_path, 1))
    ours = simulate_model(tmp_path / "simulated", sources=2)
    for model in (flight, ours):
        slit = model.slits[0]
        rows, columns = slit.data.shape
        assert 20 <= rows <= 35 and columns > 300
        # The slit has edges, in all images and in the WCS, and a trace that is not straight.
        outside = np.isnan(slit.wavelength)
        evaluated = slit.meta.wcs(*reversed(np.indices(slit.data.shape)))[2]
        assert np.allclose(slit.wavelength, evaluated, rtol=1e-6, equal_nan=True)
        assert 0.2 < outside.mean() < np.isnan(slit.data).mean() < 0.5
        assert np.isnan(slit.err[outside]).all()
        assert 1 < measure_rise(slit) <= 10
        # Flags: all outside, columns of reference pixels, and clusters.
        dq = slit.dq
        assert (dq[outside] & OUTSIDE == OUTSIDE).all()
        assert np.array_equal(np.isnan(slit.data), dq & 1 == 1)
        at_edge = (dq & flags["REFERENCE_PIXEL"] != 0).all(axis=0)
        assert 0 < at_edge.sum() < 0.1 * columns and (at_edge[0] or at_edge[-1])
        inside = ~outside & ~at_edge
        assert 0.005 < fraction(dq & ~np.uint32(flags["JUMP_DET"]) != 0, inside) < 0.1
        # Shadows of the bars fall on the images, and corrections are near one.
        assert np.nanmin(slit.barshadow) == pytest.approx(0.42, abs=0.02)
        assert np.nanmax(slit.barshadow) == pytest.approx(1, abs=0.01)
        for name in ("pathloss_point", "pathloss_uniform"):
            correction = getattr(slit, name)
            assert np.isnan(correction[outside]).all()
            assert 0.5 < np.nanmedian(correction) < 2.5
        assert slit.shutter_state == "1x1"


def test_flags_of_each_kind(tmp_path: Path):
    """Two to ten in a hundred pixels that have light, and neighbours of flagged ones more often."""
    kinds = ("OUTLIER", "NO_FLAT_FIELD", "MSA_FAILED_OPEN")
    for slit in simulate_model(tmp_path, sources=3).slits:
        inside = np.isfinite(slit.wavelength)
        for kind in kinds:
            flagged = slit.dq & flags[kind] != 0
            assert 0 < fraction(flagged, inside) < 0.06
            beside = np.roll(flagged, 1, axis=1) & inside
            assert fraction(flagged, beside) > 0.3
        flagged = slit.dq & sum(flags[kind] for kind in kinds) != 0
        assert 0.02 < fraction(flagged, inside) < 0.1
