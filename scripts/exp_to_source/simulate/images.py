"""Images of simulated slits: the trace of a source in the noise of a detector."""

import math
from typing import NamedTuple

import numpy as np

from .spectra import SimulatedSource

DO_NOT_USE, JUMP_DET = 1, 4

#: A detector in an exposure of some 800 s: electrons from a source of one µJy in each column,
#: electrons of the sky in each pixel, which is subtracted, and of noise in reading one.
ELECTRONS, SKY, READ_NOISE = 600.0, 40.0, 9.0
#: Relative error of the flat field; fractions of the pixels without a value and with a cosmic ray.
FLAT_ERROR, BAD, JUMPS = 0.003, 0.006, 0.02


class Trace(NamedTuple):
    """Where and how a source appears in a cut-out."""

    source: SimulatedSource
    #: Center across the dispersion, and standard deviation of the profile, in pixels.
    row: float
    width: float
    #: Fraction of the light in this spectral order.
    share: float = 1.0


def simulate_images(
    rng: np.random.Generator,
    shape: tuple[int, int],
    waverange: tuple[float, float],
    trace: Trace | None,
    unit: float,
) -> dict[str, np.ndarray]:
    """Return all images that a slit may have, uint32 for ``dq``, else float32.

    Without a trace they are noise. `unit` is one µJy in the unit of the values; the first and the
    last column have the wavelengths of `waverange`.
    """
    rows, columns = shape
    wavelengths = np.linspace(*waverange, columns)
    noise = rng.standard_normal(shape, dtype=np.float32)
    chance = rng.random(shape, dtype=np.float32)
    signal = np.zeros(shape)
    if trace:
        profile = _compute_profile(rows, trace.row, trace.width)
        signal = profile[:, np.newaxis] * (trace.share * trace.source.spectrum(wavelengths))
    variances = {
        "var_poisson": (signal * ELECTRONS + SKY) / ELECTRONS**2,
        "var_rnoise": np.full(shape, (READ_NOISE / ELECTRONS) ** 2),
        "var_flat": (FLAT_ERROR * signal) ** 2,
    }
    error = np.sqrt(sum(variances.values()))
    bad = chance < BAD
    values = np.where(bad, np.nan, signal + error * noise)
    images: dict[str, np.ndarray] = {
        "data": (unit * values).astype(np.float32),
        "dq": (DO_NOT_USE * bad + JUMP_DET * (chance > 1 - JUMPS)).astype(np.uint32),
        "err": (unit * np.where(bad, np.nan, error)).astype(np.float32),
        "wavelength": np.tile(wavelengths.astype(np.float32), (rows, 1)),
        **{name: (unit**2 * variance).astype(np.float32) for name, variance in variances.items()},
    }
    names = ("flatfield", "pathloss", "photom")
    corrections = (f"{name}_{kind}" for name in names for kind in ("point", "uniform"))
    for level, name in enumerate((*corrections, "barshadow"), start=1):
        images[name] = np.float32(1e-3) * noise + np.float32(level)
    return images


def _compute_profile(rows: int, center: float, sigma: float) -> np.ndarray:
    """Return the fraction of the light of a source that falls in each row."""
    edges = [math.erf((n - 0.5 - center) / sigma / math.sqrt(2)) for n in range(rows + 1)]
    profile: np.ndarray = np.diff(edges) / 2
    return profile
