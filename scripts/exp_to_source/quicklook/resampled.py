"""The resampled cut-out of a product (s2d), with the aperture of its extracted spectrum."""

import numpy as np
from astropy.io import fits

from ..errors import InputError
from ..results import spectrum_path
from .cutouts import Cutout, read_cutouts


def read_resampled(results: str, name: str) -> Cutout | None:
    """Read the first resampled cut-out; None of a product without one, such as all of WFSS."""
    try:
        cutout = read_cutouts(spectrum_path(results, name, "s2d"), [], 1).cutouts[0]
    except (InputError, OSError):
        return None
    aperture = read_aperture(spectrum_path(results, name, "x1d"), cutout.transposed)
    return cutout._replace(aperture=aperture)


def read_aperture(path: str, transposed: bool = False) -> tuple[float, float] | None:
    """Read the edges, in rows from zero, of the aperture of the first extracted spectrum.

    EXTRYSTR and EXTRYSTP are the first and the last pixel, counted from one; of a spectrum along
    the columns, EXTRXSTR and EXTRXSTP.
    """
    try:
        header = fits.getheader(path, "EXTRACT1D")
        start, stop = (float(header[f"EXTR{'XY'[not transposed]}{end}"]) for end in ("STR", "STP"))
    except (OSError, KeyError, TypeError, ValueError, fits.VerifyError):
        return None
    return (start - 1.5, stop - 0.5) if np.isfinite(start + stop) else None


def align_columns(cutout: Cutout, low: float, high: float, count: int) -> np.ndarray:
    """Resample a cut-out in `count` even bins of wavelength, from `low` to `high`, in microns.

    A bin has the mean of the columns in it, or the nearest; NaN outside of the wavelengths of the
    cut-out. Unusable pixels are left out. The shape is (rows, count).
    """
    assert cutout.wavelengths is not None
    columns = np.flatnonzero(np.isfinite(cutout.wavelengths))
    columns = columns[np.argsort(cutout.wavelengths[columns], kind="stable")]
    wavelengths = cutout.wavelengths[columns].astype(float)
    data = np.where(cutout.unusable, np.nan, cutout.data)[:, columns].astype(float)
    edges = np.linspace(low, high, count + 1)
    centers = (edges[1:] + edges[:-1]) / 2
    nearest = np.searchsorted((wavelengths[1:] + wavelengths[:-1]) / 2, centers)
    bounds = np.searchsorted(wavelengths, edges)
    starts, stops = bounds[:-1], bounds[1:]
    starts = np.where(stops > starts, starts, nearest)
    stops = np.maximum(stops, starts + 1)

    def add_columns(plane: np.ndarray) -> np.ndarray:
        total = np.pad(np.cumsum(plane, axis=1), ((0, 0), (1, 0)))
        difference: np.ndarray = total[:, stops] - total[:, starts]
        return difference

    with np.errstate(invalid="ignore", divide="ignore"):
        means: np.ndarray = add_columns(np.nan_to_num(data)) / add_columns(
            np.isfinite(data).astype(float)
        )
    step = np.ptp(wavelengths) / max(wavelengths.size - 1, 1)
    means[:, (centers < wavelengths[0] - step) | (centers > wavelengths[-1] + step)] = np.nan
    return means
