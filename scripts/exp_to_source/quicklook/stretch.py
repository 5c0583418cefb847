"""The stretch of pictures of cut-outs: linear in the noise about zero, logarithmic beyond."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import AsinhNorm

#: Percentiles of the values that are drawn black and white.
PERCENTILES = (1.0, 99.5)
#: Percentiles of noise, one standard deviation below and above its median.
NOISE = (15.87, 84.13)
#: The stretch is linear up to so many standard deviations of the noise.
LINEAR = 3.0
#: Approximate number of pixels from which the stretch is computed.
SAMPLE = 1_000_000


def compute_stretch(planes: Sequence[np.ndarray]) -> AsinhNorm:
    """Compute one stretch for all planes, whose unusable pixels are NaN.

    Negative values are as visible as positive ones.
    """
    step = max(1, sum(plane.size for plane in planes) // SAMPLE)
    values = np.concatenate([plane[np.isfinite(plane)][::step] for plane in planes])
    if not values.size:
        return AsinhNorm(1.0, -0.5, 0.5, clip=True)
    low, high, below, above = map(float, np.percentile(values, PERCENTILES + NOISE))
    if not high > low:
        low, high = low - 0.5, low + 0.5
    noise = (above - below) / 2
    return AsinhNorm(LINEAR * noise if noise > 0 else high - low, low, high, clip=True)
