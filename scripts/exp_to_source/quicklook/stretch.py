"""The stretch of pictures of cut-outs: linear in the noise about zero, logarithmic beyond."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

#: Percentiles of the values that are drawn black and white.
PERCENTILES = (1.0, 99.5)
#: Percentiles of noise, one standard deviation below and above its median.
NOISE = (15.87, 84.13)
#: The stretch is linear up to so many standard deviations of the noise.
LINEAR = 3.0
#: Approximate number of pixels from which the stretch is computed.
SAMPLE = 1_000_000


class Stretch(NamedTuple):
    """An asinh stretch, in which negative values are as visible as positive ones."""

    low: float  #: drawn black
    high: float  #: drawn white
    width: float  #: value up to which it is linear

    def scale(self, values: np.ndarray) -> np.ndarray:
        """Map values to greys from 0 to 1."""
        low, high, middle = (np.arcsinh(v / self.width) for v in (self.low, self.high, values))
        levels: np.ndarray = np.clip((middle - low) / (high - low), 0, 1)
        return levels


def compute_stretch(planes: Sequence[np.ndarray]) -> Stretch:
    """Compute one stretch for all planes, whose unusable pixels are NaN."""
    step = max(1, sum(plane.size for plane in planes) // SAMPLE)
    values = np.concatenate([plane[np.isfinite(plane)][::step] for plane in planes])
    if not values.size:
        return Stretch(-0.5, 0.5, 1.0)
    low, high, below, above = map(float, np.percentile(values, PERCENTILES + NOISE))
    if not high > low:
        low, high = low - 0.5, low + 0.5
    noise = (above - below) / 2
    return Stretch(low, high, LINEAR * noise if noise > 0 else high - low)
