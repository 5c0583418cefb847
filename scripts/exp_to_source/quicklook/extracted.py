"""Extracted spectra (x1d, c1d), as jwst writes them, ready to draw."""

import os

import numpy as np
from astropy.io import fits

from .sums import SHOWN_UNITS, Spectrum, combine

EXTENSIONS = ("EXTRACT1D", "COMBINE1D")
ERRORS = ("FLUX_ERROR", "ERROR")


def read_extracted(path: str) -> Spectrum | None:
    """Read the spectrum of a source; the mean of those of its exposures and orders.

    Parameters
    ----------
    path : str
        An ``_x1d`` or ``_c1d`` file.

    Returns
    -------
    Spectrum or None
        Nothing if there is no such file, or no spectrum in it: an extraction that failed.
    """
    if not os.path.isfile(path) or not os.path.getsize(path):
        return None
    spectra = []
    try:
        with fits.open(path, memmap=False) as hdus:
            for hdu in hdus:
                if hdu.name in EXTENSIONS:
                    spectra += _spectra_of(hdu)
    except (OSError, ValueError, TypeError, KeyError, fits.VerifyError):
        return None
    return combine(spectra)


def _spectra_of(hdu: fits.BinTableHDU) -> list[Spectrum]:
    """Spectra of a table: it is one, or each of its rows."""
    names = hdu.columns.names
    error = next(name for name in ERRORS if name in names)
    unit, scale = SHOWN_UNITS.get(unit := hdu.columns["FLUX"].unit or "", (unit, 1.0))
    columns = [np.array(hdu.data[name], float, ndmin=2) for name in ("WAVELENGTH", "FLUX", error)]
    found = []
    for wavelengths, flux, errors in zip(*columns, strict=True):
        known = np.flatnonzero(np.isfinite(wavelengths) & (wavelengths > 0))
        order = known[np.argsort(wavelengths[known], kind="stable")]
        if order.size:
            found.append(
                Spectrum(wavelengths[order], scale * flux[order], scale * errors[order], unit)
            )
    return found
