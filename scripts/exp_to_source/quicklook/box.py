"""Sums of pixels in a box that follows the trace of a source: arrays in, arrays out.

All planes have the shape (rows, columns), dispersed along the columns; a trace is the row of the
source in each column, from zero.
"""

import numpy as np

#: Height of the box, in pixels.
HEIGHT = 5
#: A source is at most so many rows from where the WCS expects it.
REACH = 3
#: Signal-to-noise ratio of a profile, summed along the trace, from which its place is measured.
SIGNIFICANT = 5.0
#: Width of the bins of a profile, in pixels: its pixels are sampled anew as the trace tilts.
BIN = 0.25
#: Columns with a smaller fraction of the light of a box have no sum.
MIN_FRACTION = 0.3
#: Neighbours along the dispersion that weight a column in the profile; itself, whose noise is in
#: the profile, does not.
NEIGHBOURS = np.array([1.0, 1.0, 0.0, 1.0, 1.0])


def sum_along_trace(
    data: np.ndarray, variance: np.ndarray, trace: np.ndarray, height: float = HEIGHT
) -> tuple[np.ndarray, np.ndarray]:
    """Sum a box of this height about a trace; return flux and its error in each column.

    Pixels that the box cuts count by the fraction within it, as in the extract_1d step of jwst.
    Unusable pixels are NaN, and pixels outside of the cut-out are like them. What they miss is made
    up for by the profile of the others, collapsed along the trace, so that a column without the
    middle of the trace does not look faint. Columns with too little of the light are NaN.
    """
    half = int(np.ceil(height / 2))
    values, offsets = cut_rows(data, trace, half)
    variances, _ = cut_rows(variance, trace, half)
    inside = np.clip(height / 2 + 0.5 - np.abs(offsets), 0, 1)
    weights = inside * np.isfinite(values)
    total = (weights * np.nan_to_num(values)).sum(axis=0)
    noise = np.sqrt((weights**2 * np.nan_to_num(variances)).sum(axis=0))
    fraction = weights.sum(axis=0) / inside.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # The profile needs the flux, and the flux the profile: three times are enough.
        for _ in range(3):
            flux, error = total / fraction, noise / fraction
            flux[fraction < MIN_FRACTION] = error[fraction < MIN_FRACTION] = np.nan
            profile = inside * estimate_profile(values, offsets, flux, error)
            fraction = (profile * (weights > 0)).sum(axis=0) / profile.sum(axis=0)
    return flux, error


def average_along_trace(plane: np.ndarray, trace: np.ndarray, height: float = HEIGHT) -> np.ndarray:
    """Average a box of this height about a trace, without NaN; NaN for columns of these alone.

    Of wavelengths, these are those at the trace: lines are tilted, in flight by some 0.1 columns
    a row of NIRSpec.
    """
    values, offsets = cut_rows(plane, trace, int(np.ceil(height / 2)))
    weights = np.clip(height / 2 + 0.5 - np.abs(offsets), 0, 1) * np.isfinite(values)
    with np.errstate(invalid="ignore"):
        average: np.ndarray = (weights * np.nan_to_num(values)).sum(axis=0) / weights.sum(axis=0)
    return average


def cut_rows(plane: np.ndarray, trace: np.ndarray, half: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut the rows about a trace; return them and how far above the trace their pixels are.

    Both have the shape (2 half + 1, columns). Rows outside of the plane are NaN.
    """
    rows = np.rint(trace).astype(int) + np.arange(-half, half + 1)[:, np.newaxis]
    inside = (rows >= 0) & (rows < plane.shape[0])
    values = plane[np.where(inside, rows, 0), np.arange(plane.shape[1])]
    return np.where(inside, values, np.nan), rows - trace


def estimate_profile(
    values: np.ndarray, offsets: np.ndarray, flux: np.ndarray, error: np.ndarray
) -> np.ndarray:
    """Estimate which fraction of the flux of its column each pixel has, by all columns.

    Columns are weighted by the flux of their neighbours, so that lines count where there is no
    continuum, and noise does not. One everywhere if the profile is not significant.
    """
    known = np.isfinite(flux)
    clean = np.where(known, flux, 0)
    weights = np.maximum(np.convolve(clean, NEIGHBOURS)[2:-2], 0)
    weights /= np.maximum(np.convolve(known, NEIGHBOURS)[2:-2], 1)
    noise = np.sqrt((weights**2 * np.where(known, error, 0) ** 2).sum())
    if not (weights * clean).sum() > SIGNIFICANT * noise:
        return np.ones_like(values)
    usable = np.isfinite(values) & (weights > 0) & known
    bins = np.floor(offsets / BIN).astype(int)
    bins -= bins.min()

    def collapse(plane: np.ndarray) -> np.ndarray:
        scaled = np.broadcast_to(weights * plane, values.shape)
        return np.bincount(bins[usable], scaled[usable], bins.max() + 1)

    light = collapse(clean)
    filled = light > 0
    with np.errstate(invalid="ignore"):
        profile = np.maximum(collapse(values)[filled] / light[filled], 0)
    # Where the pixels of a bin are on average: of a straight trace, exactly where they are.
    centers = collapse(offsets)[filled] / collapse(np.ones_like(flux))[filled]
    fractions: np.ndarray = np.interp(offsets, centers, profile)
    return fractions


def place_trace(
    data: np.ndarray, variance: np.ndarray, trace: np.ndarray, reach: int | None = REACH
) -> np.ndarray:
    """Shift a trace to the brightest rows relative to their noise, all columns summed.

    Within `reach` of it, if these rows are significant; everywhere if it is None: then only the
    form of the trace is known.
    """
    half = data.shape[0] if reach is None else reach
    values, offsets = cut_rows(data, trace, half)
    variances, _ = cut_rows(variance, trace, half)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.nansum(values, axis=1) / np.sqrt(np.nansum(variances, axis=1))
    ratios = np.where(np.isfinite(ratios), ratios, -np.inf)
    brightest = int(np.argmax(ratios))
    if reach is not None and ratios[brightest] < SIGNIFICANT:
        return trace
    trace = trace + (brightest - half)
    for _ in range(2 if ratios[brightest] > 2 * SIGNIFICANT else 0):
        values, offsets = cut_rows(data, trace, HEIGHT // 2)
        usable = np.isfinite(values)
        count = np.maximum(usable.sum(axis=1), 1)
        light = np.maximum(np.nansum(values, axis=1) / count, 0)
        centers = np.where(usable, offsets, 0).sum(axis=1) / count
        trace = trace + (light * centers).sum() / light.sum()
    return trace
