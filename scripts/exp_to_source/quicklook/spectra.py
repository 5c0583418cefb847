"""Spectra, simple sums of cut-outs or extracted by jwst, and their signal-to-noise ratio."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from astropy.io import fits

from .box import HEIGHT, REACH, SIGNIFICANT, average_along_trace, place_trace, sum_along_trace
from .cutouts import Cutout

#: Units that are shown as others, and what one of them is in these.
SHOWN_UNITS = {"MJy": ("µJy", 1e12), "Jy": ("µJy", 1e6)}
#: Pixels whose median is the continuum about a line, and pixels of a line that are summed.
CONTINUUM, LINE = 51, 3
#: No line but a spike (a cosmic ray, a hot pixel) is a pixel whose neighbours have less than this
#: fraction of it: lines are two pixels wide at least.
SPIKE = 0.2
#: Percentiles of the flux that a plot shows, besides lines; pixels whose error is more than so many
#: times the median are not among them.
PERCENTILES, NOISY = (1.0, 99.0), 3.0
#: A sum and an extracted spectrum whose fluxes differ by more than this fraction have a remark.
TOLERANCE = 0.1


class Spectrum(NamedTuple):
    """Values with their standard deviations; NaN for none."""

    wavelengths: np.ndarray  #: in microns, rising; numbers of columns if there are none
    flux: np.ndarray
    error: np.ndarray
    unit: str
    order: int | None = None  #: spectral order
    limits: tuple[float, float] | None = None  #: of the flux to show, as far as they are known

    @property
    def signal_to_noise(self) -> float:
        """Median signal-to-noise ratio of the pixels; zero if there are none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = self.flux / self.error
        ratios = ratios[np.isfinite(ratios)]
        return float(np.median(ratios)) if ratios.size else 0.0


class Line(NamedTuple):
    """A line above the local continuum of a spectrum."""

    wavelength: float  #: of its peak, in microns
    signal_to_noise: float  #: of their sum


def sum_cutout(cutout: Cutout) -> Spectrum | None:
    """Sum a cut-out along the trace of its source; None without usable pixels.

    The trace is that of the WCS, moved to the brightest rows nearby, or to those of the cut-out if
    it has no source with a place. Without a WCS it is straight.
    """
    if cutout.error is None:
        return None
    usable = ~cutout.unusable & np.isfinite(cutout.data) & (cutout.error > 0)
    if not usable.any():
        return None
    unit, scale = SHOWN_UNITS.get(cutout.unit, (cutout.unit, 1.0))
    if cutout.unit == "MJy/sr" and cutout.pixel_area:
        unit, scale = "µJy", 1e12 * cutout.pixel_area
    data = np.where(usable, cutout.data, np.nan).astype(float) * scale
    variance = np.where(usable, cutout.error, np.nan).astype(float) ** 2 * scale**2
    rows, columns = data.shape
    trace, height = cutout.trace, min(HEIGHT, rows)
    if trace is None:
        trace = place_trace(data, variance, np.full(columns, (rows - 1) / 2), reach=None)
        trace = np.clip(trace, (height - 1) / 2, rows - (height + 1) / 2)
    else:
        reach = None if cutout.expected_row is None else REACH
        trace = place_trace(data, variance, trace, reach)
    flux, error = sum_along_trace(data, variance, trace, height)
    wavelengths = cutout.wavelengths
    if cutout.wavelength_plane is not None:
        wavelengths = average_along_trace(cutout.wavelength_plane, trace, height)
    if wavelengths is None:
        wavelengths = np.arange(1.0, flux.size + 1)
    order = _sort_finite(wavelengths)
    wavelengths = wavelengths[order].astype(float)
    return Spectrum(wavelengths, flux[order], error[order], unit, cutout.order)


def sum_cutouts(cutouts: Sequence[Cutout]) -> list[Spectrum]:
    """Combine the sums of cut-outs; those without wavelengths only if all are."""
    placed = [cutout for cutout in cutouts if cutout.wavelengths is not None]
    return combine_spectra(filter(None, map(sum_cutout, placed or cutouts)))


def _sort_finite(values: np.ndarray) -> np.ndarray:
    """Return the indices of the finite values, by value."""
    indices = np.flatnonzero(np.isfinite(values))
    return indices[np.argsort(values[indices], kind="stable")]


def combine_spectra(spectra: Iterable[Spectrum]) -> list[Spectrum]:
    """Combine spectra with the inverse of their variances: one for each order and unit.

    In the order of the first of each. The grid has the wavelengths of the longest, and beyond its
    ends and in its gaps those of others; each pixel counts at the nearest, so that noise stays
    uncorrelated, and moves its wavelength to the mean of those that do.
    """
    groups: dict[tuple[int | None, str], list[Spectrum]] = {}
    for spectrum in spectra:
        if spectrum.wavelengths.size:
            groups.setdefault((spectrum.order, spectrum.unit), []).append(spectrum)
    return [_combine(group) for group in groups.values()]


def _combine(spectra: Sequence[Spectrum]) -> Spectrum:
    grid = max(spectra, key=lambda s: s.wavelengths.size).wavelengths
    for wavelengths in (s.wavelengths for s in spectra):
        steps = np.pad(np.diff(grid), 1, constant_values=np.inf)
        nearest = np.searchsorted((grid[1:] + grid[:-1]) / 2, wavelengths)
        # A pixel of the grid has what is within half a step of it.
        reach = 0.75 * np.minimum(steps[:-1], steps[1:])
        new = np.abs(wavelengths - grid[nearest]) > reach[nearest]
        grid = np.sort(np.concatenate([grid, wavelengths[new]]))
    total, weight, shift = np.zeros((3, grid.size))
    edges = (grid[1:] + grid[:-1]) / 2
    for wavelengths, flux, error, *_ in spectra:
        usable = np.isfinite(flux) & (error > 0)
        pixels = np.searchsorted(edges, wavelengths[usable])
        inverse = error[usable] ** -2.0
        total += np.bincount(pixels, inverse * flux[usable], grid.size)
        weight += np.bincount(pixels, inverse, grid.size)
        distance = wavelengths[usable] - grid[pixels]
        shift += np.bincount(pixels, inverse * distance, grid.size)
    with np.errstate(divide="ignore", invalid="ignore"):
        return spectra[0]._replace(
            wavelengths=grid + np.where(weight > 0, shift / weight, 0),
            flux=np.where(weight > 0, total / weight, np.nan),
            error=np.where(weight > 0, weight**-0.5, np.nan),
        )


def get_signal_to_noise(spectra: Iterable[Spectrum]) -> float | None:
    """Return the ratio per pixel of the best of several orders; None without any flux."""
    ratios = (s.signal_to_noise for s in spectra if np.isfinite(s.flux).any())
    return max(ratios, default=None)


def find_brightest_line(spectra: Iterable[Spectrum]) -> Line | None:
    """Find the most significant line of several orders, see `find_line`."""
    lines = [line for line in map(find_line, spectra) if line]
    return max(lines, key=lambda line: line.signal_to_noise, default=None)


def find_line(spectrum: Spectrum) -> Line | None:
    """Find the most significant sum of three pixels above the local continuum.

    Of a spectrum without lines, it is the highest peak of its noise. None if it is too short, or
    constant.
    """
    usable = np.isfinite(spectrum.flux) & (spectrum.error > 0)
    flux, error = spectrum.flux[usable], spectrum.error[usable]
    if flux.size < 5 * LINE:
        return None
    pixels = np.lib.stride_tricks.sliding_window_view(flux - _find_continuum(flux), LINE)
    noise = np.sqrt(np.convolve(error**2, np.ones(LINE), "valid"))
    *_, second, highest = np.sort(pixels, axis=1).T
    ratio = np.where(second > SPIKE * highest, pixels.sum(axis=1) / noise, -np.inf)
    brightest = int(np.argmax(ratio))
    if ratio[brightest] == -np.inf:
        return None
    left, middle, right = pixels[brightest]
    # The vertex of a parabola: of a Gaussian as wide as a pixel or more, to a twentieth of a pixel.
    curvature = 2 * middle - left - right
    shift = np.clip((right - left) / (2 * curvature), -1, 1) if curvature > 0 else 0.0
    position = brightest + LINE // 2 + shift
    wavelength = np.interp(position, np.arange(flux.size), spectrum.wavelengths[usable])
    return Line(float(wavelength), float(ratio[brightest]))


def _find_continuum(flux: np.ndarray) -> np.ndarray:
    """Return running medians; beyond its ends, a spectrum goes on as steeply as there."""
    half = min(CONTINUUM // 2, flux.size // 3)

    def extend(flux: np.ndarray) -> np.ndarray:
        near, far = np.median(flux[:half]), np.median(flux[half : 2 * half])
        extension: np.ndarray = near + (near - far) * (0.5 + np.arange(1, half + 1) / half)
        return extension

    padded = np.concatenate([extend(flux)[::-1], flux, extend(flux[::-1])])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    continuum: np.ndarray = np.median(windows, axis=1)
    return continuum


def compute_flux_limits(spectrum: Spectrum) -> tuple[float, float]:
    """Compute the lowest and the highest flux that a plot should show; zeros without any.

    They are percentiles of the pixels with usual errors, and the extremes of lines, in which a
    neighbour stands out of the continuum, too. Bad pixels and noisy ones do not stretch an axis.
    """
    if spectrum.limits:
        return spectrum.limits
    usable = np.isfinite(spectrum.flux)
    flux, error = spectrum.flux[usable], np.nan_to_num(spectrum.error[usable])
    if flux.size < 5 * LINE:
        return (float(flux.min()), float(flux.max())) if flux.size else (0.0, 0.0)
    body = flux[error <= NOISY * np.median(error)]
    low = float(np.percentile(body, PERCENTILES[0], method="higher"))
    high = float(np.percentile(body, PERCENTILES[1], method="lower"))
    above = flux - _find_continuum(flux)
    for side in (above, -above):
        neighbours = np.maximum(np.append(side[1:], 0), np.append(0, side[:-1]))
        lines = flux[(side > SIGNIFICANT * error) & (neighbours > SPIKE * side)]
        low, high = min([low, *lines]), max([high, *lines])
    return float(low), float(high)


def compare_apertures(sums: Sequence[Spectrum], extracted: Sequence[Spectrum]) -> str:
    """Say by how much sums and extracted spectra of an order differ; empty if they agree.

    The box has less light of an extended source than a wider aperture, and less background.
    """
    remarks = []
    for summed in sums:
        # Headers of NIRSpec may have any order.
        alone = len(sums) == len(extracted) == 1
        same = (
            s for s in extracted if s.unit == summed.unit and (alone or s.order == summed.order)
        )
        for ratio in filter(None, (_compare_flux(summed, spectrum) for spectrum in same)):
            order = "" if alone else f" in order {summed.order}"
            remarks.append(f"{ratio:.2g} times the sum of {HEIGHT} rows{order}")
    return f"x1d has {' and '.join(remarks)}: other aperture" if remarks else ""


def _compare_flux(summed: Spectrum, extracted: Spectrum) -> float | None:
    """Return the ratio of an extracted flux to a sum where both have one; None if they agree."""
    flux, error = (
        np.interp(extracted.wavelengths, summed.wavelengths, values, left=np.nan, right=np.nan)
        for values in (summed.flux, summed.error)
    )
    usable = np.isfinite(flux + error + extracted.flux + extracted.error)
    if not usable.any():
        return None
    low, high = flux[usable].sum(), extracted.flux[usable].sum()
    noise = max(np.sqrt((values[usable] ** 2).sum()) for values in (error, extracted.error))
    limit = max(TOLERANCE * abs(high), SIGNIFICANT * noise)
    return float(high / low) if abs(high - low) > limit and low > 0 else None


def read_extracted(path: str) -> list[Spectrum]:
    """Read the spectra that jwst extracted (x1d, c1d), combined as `combine_spectra` does.

    Empty without a file, or without a spectrum in it: a failed extraction leaves it empty.
    """
    spectra = []
    try:
        with fits.open(path, memmap=False) as hdus:
            for hdu in hdus:
                if hdu.name in ("EXTRACT1D", "COMBINE1D"):
                    spectra += _read_table(hdu)
    except (OSError, ValueError, TypeError, KeyError, fits.VerifyError):
        return []
    return combine_spectra(spectra)


def _read_table(hdu: fits.BinTableHDU) -> list[Spectrum]:
    """Read the spectra of a table: it is one, or each of its rows."""
    error_name = "FLUX_ERROR" if "FLUX_ERROR" in hdu.columns.names else "ERROR"
    names = ("WAVELENGTH", "FLUX", error_name)
    unit, scale = SHOWN_UNITS.get(unit := hdu.columns["FLUX"].unit or "", (unit, 1.0))
    number = hdu.header.get("SPORDER")
    spectra = []
    for row in zip(*(np.array(hdu.data[name], float, ndmin=2) for name in names), strict=True):
        order = _sort_finite(np.where(row[0] > 0, row[0], np.nan))
        wavelengths, flux, error = (values[order] for values in row)
        spectra.append(Spectrum(wavelengths, scale * flux, scale * error, unit, number))
    return spectra
