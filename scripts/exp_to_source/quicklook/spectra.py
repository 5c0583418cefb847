"""Spectra, simple sums of cut-outs or extracted by jwst, and their signal-to-noise ratio."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from astropy.io import fits

from .cutouts import Cutout

#: Rows that are summed, about the brightest.
HEIGHT = 5

#: Units that are shown as others, and what one of them is in these.
SHOWN_UNITS = {"MJy": ("µJy", 1e12), "Jy": ("µJy", 1e6)}


class Spectrum(NamedTuple):
    """Values with their standard deviations; NaN for none."""

    wavelengths: np.ndarray  #: in microns, rising; numbers of columns if there are none
    flux: np.ndarray
    error: np.ndarray
    unit: str

    @property
    def signal_to_noise(self) -> float:
        """Median signal-to-noise ratio of the pixels; zero if there are none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = self.flux / self.error
        ratios = ratios[np.isfinite(ratios)]
        return float(np.median(ratios)) if ratios.size else 0.0


def sum_rows(cutout: Cutout) -> Spectrum | None:
    """Sum the rows about that in which a cut-out is brightest; None without usable pixels.

    Unusable pixels are replaced by the mean of the others of their column.
    """
    if cutout.error is None:
        return None
    usable = ~cutout.unusable & np.isfinite(cutout.data) & (cutout.error > 0)
    if not usable.any():
        return None
    unit, scale = SHOWN_UNITS.get(cutout.unit, (cutout.unit, 1.0))
    if cutout.unit == "MJy/sr" and cutout.pixel_area:
        unit, scale = "µJy", 1e12 * cutout.pixel_area
    data = np.where(usable, cutout.data, 0).astype(float) * scale
    variance = np.where(usable, cutout.error, 0).astype(float) ** 2 * scale**2
    rows = find_brightest_rows(data, variance, usable)
    count = usable[rows].sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = (rows.stop - rows.start) / count
        flux = data[rows].sum(axis=0) * factor
        error = np.sqrt(variance[rows].sum(axis=0)) * factor
    flux[count == 0] = error[count == 0] = np.nan
    wavelengths = cutout.wavelengths
    if wavelengths is None or not np.isfinite(wavelengths).any():
        wavelengths = np.arange(1.0, flux.size + 1)
    order = _sort_finite(wavelengths)
    return Spectrum(wavelengths[order].astype(float), flux[order], error[order], unit)


def _sort_finite(values: np.ndarray) -> np.ndarray:
    """Return the indices of the finite values, by value."""
    indices = np.flatnonzero(np.isfinite(values))
    return indices[np.argsort(values[indices], kind="stable")]


def find_brightest_rows(data: np.ndarray, variance: np.ndarray, usable: np.ndarray) -> slice:
    """Find the rows about that which is brightest relative to its noise, all columns summed."""
    with np.errstate(divide="ignore", invalid="ignore"):
        profile = data.sum(axis=1) / np.sqrt(variance.sum(axis=1))
    profile[~usable.any(axis=1)] = -np.inf
    rows = profile.size
    middle = int(np.argmax(np.nan_to_num(profile, nan=-np.inf)))
    first = max(0, min(middle - HEIGHT // 2, rows - HEIGHT))
    return slice(first, min(rows, first + HEIGHT))


def average_spectra(spectra: Sequence[Spectrum]) -> Spectrum | None:
    """Average spectra, in the unit of the first, at the wavelengths of them all; None for none."""
    spectra = [s for s in spectra if s.wavelengths.size]
    spectra = [s for s in spectra if s.unit == spectra[0].unit]
    if not spectra:
        return None
    grid = spectra[0].wavelengths
    if any(not np.array_equal(s.wavelengths, grid) for s in spectra):
        low = min(s.wavelengths[0] for s in spectra)
        high = max(s.wavelengths[-1] for s in spectra)
        longest = max(spectra, key=lambda s: s.wavelengths.size).wavelengths
        steps = round((longest.size - 1) * float(high - low) / float(np.ptp(longest) or 1.0)) + 1
        grid = np.linspace(low, high, min(max(steps, 1), 100_000))
    flux = np.array([_interpolate(grid, s.wavelengths, s.flux) for s in spectra])
    variance = np.array([_interpolate(grid, s.wavelengths, s.error) for s in spectra]) ** 2
    usable = np.isfinite(flux) & np.isfinite(variance)
    count = usable.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(usable, flux, 0).sum(axis=0) / count
        error = np.sqrt(np.where(usable, variance, 0).sum(axis=0)) / count
    return Spectrum(grid, mean, error, spectra[0].unit)


def _interpolate(grid: np.ndarray, wavelengths: np.ndarray, values: np.ndarray) -> np.ndarray:
    if np.array_equal(wavelengths, grid):
        return values
    interpolated: np.ndarray = np.interp(grid, wavelengths, values, left=np.nan, right=np.nan)
    return interpolated


def combine_signal_to_noise(spectra: Iterable[Spectrum]) -> float:
    """Return the ratio of all entries together per pixel: their ratios added in quadrature."""
    return float(np.sqrt(sum(max(0.0, spectrum.signal_to_noise) ** 2 for spectrum in spectra)))


def read_extracted(path: str) -> Spectrum | None:
    """Read a spectrum that jwst extracted (x1d, c1d), the mean of all exposures and orders.

    None without a file, or without a spectrum in it: a failed extraction leaves it empty.
    """
    spectra = []
    try:
        with fits.open(path, memmap=False) as hdus:
            for hdu in hdus:
                if hdu.name in ("EXTRACT1D", "COMBINE1D"):
                    spectra += _read_table(hdu)
    except (OSError, ValueError, TypeError, KeyError, fits.VerifyError):
        return None
    return average_spectra(spectra)


def _read_table(hdu: fits.BinTableHDU) -> list[Spectrum]:
    """Read the spectra of a table: it is one, or each of its rows."""
    error_name = "FLUX_ERROR" if "FLUX_ERROR" in hdu.columns.names else "ERROR"
    names = ("WAVELENGTH", "FLUX", error_name)
    unit, scale = SHOWN_UNITS.get(unit := hdu.columns["FLUX"].unit or "", (unit, 1.0))
    spectra = []
    for row in zip(*(np.array(hdu.data[name], float, ndmin=2) for name in names), strict=True):
        order = _sort_finite(np.where(row[0] > 0, row[0], np.nan))
        wavelengths, flux, error = (values[order] for values in row)
        spectra.append(Spectrum(wavelengths, scale * flux, scale * error, unit))
    return spectra
