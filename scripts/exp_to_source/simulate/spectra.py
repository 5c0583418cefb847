"""Artificial sources: faint and bright ones, with a continuum and emission lines."""

from typing import NamedTuple

import numpy as np

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

    #: Flux density at the middle of the band, in µJy.
    flux: float
    #: Power of the wavelength that the continuum follows.
    slope: float
    redshift: float
    #: Height of the strongest line above the continuum, in µJy.
    lines: float
    #: Standard deviation of the profile of a point source, in pixels.
    size: float
    #: Offsets from the center of the field, in degrees on the sky.
    ra: float
    dec: float

    def spectrum(self, wavelengths: np.ndarray) -> np.ndarray:
        """Return the flux density (µJy) at evenly spaced wavelengths (µm)."""
        middle = (wavelengths[0] + wavelengths[-1]) / 2
        step = (wavelengths[-1] - wavelengths[0]) / max(len(wavelengths) - 1, 1)
        flux: np.ndarray = self.flux * (wavelengths / middle) ** self.slope
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
        slope=rng.uniform(-2, 1.5),
        redshift=seen / rest - 1,
        # One in five has none. Those of faint sources stand out of the noise nevertheless.
        lines=0.0 if rng.random() < 0.2 else (flux + 1) * rng.uniform(0.7, 3),
        size=rng.uniform(0.9, 1.3),
        ra=rng.uniform(-RADIUS, RADIUS),
        dec=rng.uniform(-RADIUS, RADIUS),
    )
