"""Images of simulated slits: the trace of an artificial source in the noise of a detector."""

from typing import NamedTuple

import numpy as np
from scipy.special import erf

from .wcs import Evaluation

DO_NOT_USE, JUMP_DET = 1, 4

#: A detector in an exposure of some 800 s: electrons from a source of one µJy in each column,
#: electrons of the sky in each pixel, which is subtracted, and of noise in reading one.
ELECTRONS, SKY, READ_NOISE = 600.0, 40.0, 9.0
#: Relative error of the flat field; fractions of the pixels without a value and with a cosmic ray.
FLAT_ERROR, BAD, JUMPS = 0.003, 0.006, 0.02

#: Rest wavelengths (µm) of lines, and their strengths relative to the strongest.
LINES = (
    *((0.3728, 0.5), (0.4341, 0.15), (0.4861, 0.35), (0.4959, 0.33), (0.5007, 1.0)),
    *((0.6563, 0.9), (0.6583, 0.2), (0.6724, 0.2), (0.9532, 0.4), (1.083, 0.4), (1.8756, 0.4)),
)

#: Flux densities (µJy) of the faintest and the brightest source, at the middle of the band.
FAINTEST, BRIGHTEST = 0.1, 20.0

#: Standard deviation of lines, in pixels.
LINE_WIDTH = 1.3

#: Half the width of the field, in degrees.
RADIUS = 0.025


class SimulatedSource(NamedTuple):
    """A source."""

    flux: float  #: density at the middle of the band, in µJy
    middle: float  #: wavelength of the middle of the band, in µm
    slope: float  #: power of the wavelength that the continuum follows
    redshift: float
    lines: float  #: height of the strongest line above the continuum, in µJy
    size: float  #: standard deviation of the profile of a point source, in pixels
    ra: float  #: offset from the center of the field, in degrees on the sky, as `dec`
    dec: float

    def spectrum(self, wavelengths: np.ndarray, step: float | None = None) -> np.ndarray:
        """Return the flux density (µJy) at wavelengths (µm), of pixels of a width (µm).

        Without a width, the wavelengths are those of a row of pixels.
        """
        if step is None:
            step = (wavelengths[-1] - wavelengths[0]) / max(len(wavelengths) - 1, 1)
        flux: np.ndarray = self.flux * (wavelengths / self.middle) ** self.slope
        for rest, strength in LINES:
            offset = (wavelengths - rest * (1 + self.redshift)) / (LINE_WIDTH * step or 1)
            flux = flux + self.lines * strength * np.exp(-0.5 * offset**2)
        return flux


def simulate_source(seed: int, source_id: int, waverange: tuple[float, float]) -> SimulatedSource:
    """Return a source with a line in the band; it depends on the arguments alone."""
    rng = np.random.default_rng([seed, abs(source_id), *b"source"])
    low, high = waverange
    # The strongest line that a redshift between 0 and 10 brings anywhere into the band.
    seen = low + (high - low) * rng.uniform(0.15, 0.85)
    rest = 0.5007 if seen < 0.5007 * 11 and rng.random() < 0.5 else 0.6563
    flux = FAINTEST * (BRIGHTEST / FAINTEST) ** rng.random()
    return SimulatedSource(
        flux=flux,
        middle=(low + high) / 2,
        slope=rng.uniform(-2, 1.5),
        redshift=seen / rest - 1,
        # One in five has none. Those of faint sources stand out of the noise nevertheless.
        lines=0.0 if rng.random() < 0.2 else (flux + 1) * rng.uniform(0.7, 3),
        size=rng.uniform(0.9, 1.3),
        ra=rng.uniform(-RADIUS, RADIUS),
        dec=rng.uniform(-RADIUS, RADIUS),
    )


class Trace(NamedTuple):
    """How a source appears in a cut-out."""

    source: SimulatedSource
    width: float  #: standard deviation of the profile, in pixels
    step: float  #: width of a pixel, in µm

    def illuminate(self, evaluation: Evaluation) -> np.ndarray:
        """Return the light in each pixel, in µJy."""
        sigma = self.width * np.sqrt(2)
        low, high = ((evaluation.offsets + side) / sigma for side in (-0.5, 0.5))
        spectrum = self.source.spectrum(evaluation.wavelengths, self.step)
        light: np.ndarray = (erf(high) - erf(low)) / 2 * spectrum
        return light


def simulate_images(
    rng: np.random.Generator,
    evaluation: Evaluation,
    trace: Trace | None,
    unit: float,
    sensitivity: float = 1.0,
) -> dict[str, np.ndarray]:
    """Return all images that a slit may have, uint32 for ``dq``, else float32.

    Without a trace they are noise. `unit` is one µJy in the unit of the values, `sensitivity` the
    fraction of the light that falls in the spectral order.
    """
    shape = evaluation.wavelengths.shape
    noise = rng.standard_normal(shape, dtype=np.float32)
    chance = rng.random(shape, dtype=np.float32)
    signal = trace.illuminate(evaluation) if trace else np.zeros(shape)
    electrons = ELECTRONS * sensitivity
    variances = {
        "var_poisson": (signal * electrons + SKY) / electrons**2,
        "var_rnoise": np.full(shape, (READ_NOISE / electrons) ** 2),
        "var_flat": (FLAT_ERROR * signal) ** 2,
    }
    error = np.sqrt(sum(variances.values()))
    bad = chance < BAD
    values = np.where(bad, np.nan, signal + error * noise)
    images: dict[str, np.ndarray] = {
        "data": (unit * values).astype(np.float32),
        "dq": (DO_NOT_USE * bad + JUMP_DET * (chance > 1 - JUMPS)).astype(np.uint32),
        "err": (unit * np.where(bad, np.nan, error)).astype(np.float32),
        "wavelength": evaluation.wavelengths.astype(np.float32),
        **{name: (unit**2 * variance).astype(np.float32) for name, variance in variances.items()},
    }
    names = ("flatfield", "pathloss", "photom")
    corrections = (f"{name}_{kind}" for name in names for kind in ("point", "uniform"))
    for level, name in enumerate((*corrections, "barshadow"), start=1):
        images[name] = np.float32(1e-3) * noise + np.float32(level)
    return images
