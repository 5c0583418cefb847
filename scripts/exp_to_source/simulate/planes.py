"""Planes of simulated slits: the trace of a source in the noise of a detector."""

import math
from typing import NamedTuple

import numpy as np

from .spectra import Source

GRISM_PLANES = ("data", "dq", "err", "wavelength", "var_poisson", "var_rnoise", "var_flat")
SLIT_PLANES = (
    *GRISM_PLANES,
    *("flatfield_point", "flatfield_uniform", "pathloss_point", "pathloss_uniform"),
    *("photom_point", "photom_uniform"),
)
SHUTTER_PLANES = (*SLIT_PLANES, "barshadow")

DO_NOT_USE, JUMP_DET = 1, 4

#: A detector in an exposure of some 800 s: electrons from a source of one µJy in each column,
#: electrons of the sky in each pixel, which is subtracted, and of noise in reading one.
ELECTRONS, SKY, READ_NOISE = 600.0, 40.0, 9.0
#: Relative error of the flat field; parts of the pixels without a value, and with a cosmic ray.
FLAT_ERROR, BAD, JUMPS = 0.003, 0.006, 0.02


class Trace(NamedTuple):
    """Where and how a source appears in a cut-out.

    Attributes
    ----------
    source : Source
        The source.
    row : float
        Its place across the dispersion, in pixels from the first row.
    width : float
        Standard deviation of its profile, in pixels.
    share : float
        Part of its light in this spectral order.
    """

    source: Source
    row: float
    width: float
    share: float = 1.0


def simulate_planes(
    rng: np.random.Generator,
    shape: tuple[int, int],
    waverange: tuple[float, float],
    trace: Trace | None,
    unit: float,
) -> dict[str, np.ndarray]:
    """Return all planes a slit may have.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the noise.
    shape : tuple of int
        Rows and columns.
    waverange : tuple of float
        Wavelengths of the first and of the last column, in microns.
    trace : Trace or None
        The source, or nothing but noise.
    unit : float
        What one µJy is in the unit of the values.

    Returns
    -------
    dict of numpy.ndarray
        Planes by attribute name, of the given shape; uint32 for ``dq``, else float32.
    """
    rows, columns = shape
    wavelengths = np.linspace(*waverange, columns)
    noise = rng.standard_normal(shape, dtype=np.float32)
    chance = rng.random(shape, dtype=np.float32)
    signal = np.zeros(shape)
    if trace:
        profile = _profile(rows, trace.row, trace.width)
        signal = profile[:, np.newaxis] * (trace.share * trace.source.spectrum(wavelengths))
    variances = {
        "var_poisson": (signal * ELECTRONS + SKY) / ELECTRONS**2,
        "var_rnoise": np.full(shape, (READ_NOISE / ELECTRONS) ** 2),
        "var_flat": (FLAT_ERROR * signal) ** 2,
    }
    error = np.sqrt(sum(variances.values()))
    bad = chance < BAD
    values = np.where(bad, np.nan, signal + error * noise)
    planes: dict[str, np.ndarray] = {
        "data": (unit * values).astype(np.float32),
        "dq": (DO_NOT_USE * bad + JUMP_DET * (chance > 1 - JUMPS)).astype(np.uint32),
        "err": (unit * np.where(bad, np.nan, error)).astype(np.float32),
        "wavelength": np.tile(wavelengths.astype(np.float32), (rows, 1)),
        **{name: (unit**2 * variance).astype(np.float32) for name, variance in variances.items()},
    }
    names = ("flatfield", "pathloss", "photom")
    corrections = (f"{name}_{kind}" for name in names for kind in ("point", "uniform"))
    for level, name in enumerate((*corrections, "barshadow"), start=1):
        planes[name] = np.float32(1e-3) * noise + np.float32(level)
    return planes


def _profile(rows: int, row: float, size: float) -> np.ndarray:
    """Part of the light of a source that falls in each row."""
    edges = [math.erf((n - 0.5 - row) / size / math.sqrt(2)) for n in range(rows + 1)]
    profile: np.ndarray = np.diff(edges) / 2
    return profile
