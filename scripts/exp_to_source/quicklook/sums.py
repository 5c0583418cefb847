"""The spectrum and the signal-to-noise ratio that cut-outs show by a simple sum."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from .cutouts import Cutout

#: Rows that are summed, about the brightest.
HEIGHT = 5

#: Units that are shown as others, and what one of them is in these.
SHOWN_UNITS = {"MJy": ("µJy", 1e12), "Jy": ("µJy", 1e6)}


class Spectrum(NamedTuple):
    """A spectrum.

    Attributes
    ----------
    wavelengths : numpy.ndarray
        In microns, rising; numbers of columns if there are none.
    flux, error : numpy.ndarray
        Values and their standard deviations; NaN for none.
    unit : str
        Unit of the values.
    """

    wavelengths: np.ndarray
    flux: np.ndarray
    error: np.ndarray
    unit: str

    @property
    def ratio(self) -> float:
        """Median signal-to-noise ratio of its pixels; zero if there are none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = self.flux / self.error
        ratios = ratios[np.isfinite(ratios)]
        return float(np.median(ratios)) if ratios.size else 0.0


def sum_rows(cutout: Cutout) -> Spectrum | None:
    """Sum the rows about that in which a cut-out is brightest.

    Pixels that cannot be used are made up for by the others of their column.

    Returns
    -------
    Spectrum or None
        Nothing if there are no errors, or no usable pixels.
    """
    if cutout.error is None:
        return None
    usable = ~cutout.unusable & np.isfinite(cutout.data) & (cutout.error > 0)
    if not usable.any():
        return None
    unit, scale = shown_unit(cutout)
    data = np.where(usable, cutout.data, 0).astype(float) * scale
    variance = np.where(usable, cutout.error, 0).astype(float) ** 2 * scale**2
    rows = brightest_rows(data, variance, usable)
    count = usable[rows].sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (rows.stop - rows.start) / count
        flux = data[rows].sum(axis=0) * share
        error = np.sqrt(variance[rows].sum(axis=0)) * share
    flux[count == 0] = error[count == 0] = np.nan
    axis = cutout.wavelengths
    if axis is None or not np.isfinite(axis).any():
        axis = np.arange(1.0, flux.size + 1)
    known = np.flatnonzero(np.isfinite(axis))
    order = known[np.argsort(axis[known], kind="stable")]
    return Spectrum(axis[order].astype(float), flux[order], error[order], unit)


def shown_unit(cutout: Cutout) -> tuple[str, float]:
    """Return the unit in which a sum is shown, and what one of the cut-out's own is in that."""
    if cutout.unit == "MJy/sr" and cutout.area:
        return "µJy", 1e12 * cutout.area
    return SHOWN_UNITS.get(cutout.unit, (cutout.unit, 1.0))


def brightest_rows(data: np.ndarray, variance: np.ndarray, usable: np.ndarray) -> slice:
    """Rows about that which is brightest, relative to its noise, once all columns are summed."""
    with np.errstate(divide="ignore", invalid="ignore"):
        profile = data.sum(axis=1) / np.sqrt(variance.sum(axis=1))
    profile[~usable.any(axis=1)] = -np.inf
    rows = profile.size
    middle = int(np.argmax(np.nan_to_num(profile, nan=-np.inf)))
    first = max(0, min(middle - HEIGHT // 2, rows - HEIGHT))
    return slice(first, min(rows, first + HEIGHT))


def combine(spectra: Sequence[Spectrum]) -> Spectrum | None:
    """Average spectra at the wavelengths of them all; those in other units than the first are not.

    Returns
    -------
    Spectrum or None
        Nothing if there are none.
    """
    spectra = [s for s in spectra if s.unit == spectra[0].unit and s.wavelengths.size]
    if not spectra:
        return None
    if len({s.wavelengths.tobytes() for s in spectra}) == 1:
        grid = spectra[0].wavelengths
    else:
        low = min(s.wavelengths[0] for s in spectra)
        high = max(s.wavelengths[-1] for s in spectra)
        longest = max(spectra, key=lambda s: s.wavelengths.size)
        span = np.ptp(longest.wavelengths) or 1.0
        steps = round((longest.wavelengths.size - 1) * float(high - low) / float(span)) + 1
        grid = np.linspace(low, high, min(max(steps, 1), 100_000))
    flux = np.array([_at(grid, s.wavelengths, s.flux) for s in spectra])
    variance = np.array([_at(grid, s.wavelengths, s.error) for s in spectra]) ** 2
    usable = np.isfinite(flux) & np.isfinite(variance)
    count = usable.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(usable, flux, 0).sum(axis=0) / count
        error = np.sqrt(np.where(usable, variance, 0).sum(axis=0)) / count
    return Spectrum(grid, mean, error, spectra[0].unit)


def _at(grid: np.ndarray, wavelengths: np.ndarray, values: np.ndarray) -> np.ndarray:
    if wavelengths is grid or np.array_equal(wavelengths, grid):
        return values
    found: np.ndarray = np.interp(grid, wavelengths, values, left=np.nan, right=np.nan)
    return found


def signal_to_noise(spectra: Iterable[Spectrum]) -> float:
    """Ratio of all entries together, for one pixel along the dispersion.

    The median of each, the squares of which add up.
    """
    return float(np.sqrt(sum(max(0.0, spectrum.ratio) ** 2 for spectrum in spectra)))
