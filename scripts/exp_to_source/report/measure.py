"""What the report shows of a product: place, signal-to-noise ratio, usable pixels, images, sum."""

import base64
import json
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import InputError
from ..files import atomic_write, write_all
from ..quicklook.cutouts import read_entries
from ..quicklook.sums import Spectrum, combine, signal_to_noise, sum_rows
from ..results import CAL
from .images import images_of, usable_values

#: Maximum number of entries of a product that are measured, and of points of a spectrum.
ENTRIES, POINTS = 100, 400
#: What stands for no value in packed numbers.
NOTHING = -32768

Measured = dict[str, Any]


def measure_products(products: Iterable[str], output: str, images: int, width: int) -> None:
    """Measure products; one that cannot be read has no figures.

    Parameters
    ----------
    products : iterable of str
        Their paths.
    output : str
        File to write, a line of JSON for each.
    images : int
        Number of entries of each that have an image.
    width : int
        Maximum width of an image, in pixels.
    """
    lines = []
    for path in products:
        name = os.path.basename(path).removesuffix(CAL)
        lines.append(json.dumps({"product": name, **measure(path, images, width)}))
    with atomic_write(output) as file:
        write_all(file, "".join(f"{line}\n" for line in lines).encode())


def measure(path: str, images: int, width: int) -> Measured:
    """Measure a product."""
    try:
        entries = read_entries(path, [], ENTRIES)
    except InputError:
        return {}
    cutouts = entries.cutouts
    sums = [spectrum for spectrum in map(sum_rows, cutouts) if spectrum]
    pixels = sum(cutout.data.size for cutout in cutouts)
    usable = sum(int(np.isfinite(usable_values(cutout)).sum()) for cutout in cutouts)
    # Ten significant digits of a degree are a hundredth of a milliarcsecond.
    return {
        "position": [round(x, 7) for x in entries.position] if entries.position else None,
        "snr": round(signal_to_noise(sums), 2) if sums else None,
        "usable": round(100 * usable / max(pixels, 1), 1),
        "entries": [[cutout.unit, *cutout.data.shape, cutout.order or 0] for cutout in cutouts],
        "total": entries.total,
        "images": images_of(cutouts[:images], width),
        "sum": packed(combine(sums), POINTS),
    }


def packed(spectrum: Spectrum | None, points: int) -> Measured | None:
    """Pack a spectrum into few bytes: evenly spaced in wavelength, in steps of its largest value.

    Returns
    -------
    dict or None
        ``range`` of wavelengths, ``scale`` of the numbers in ``flux`` and ``error`` (16 bits, in
        base64), ``unit``; nothing for no spectrum.
    """
    if spectrum is None or not np.isfinite(spectrum.flux).any():
        return None
    spectrum = rebinned(spectrum, points)
    planes = [spectrum.flux, spectrum.error]
    finite = [plane[np.isfinite(plane)] for plane in planes]
    scale = float(max(np.abs(plane).max(initial=0) for plane in finite)) / 32767 or 1.0
    whole = [np.where(np.isfinite(p), np.nan_to_num(p) / scale, NOTHING) for p in planes]
    flux, error = (base64.b64encode(np.round(p).astype("<i2").tobytes()).decode() for p in whole)
    low, high = spectrum.wavelengths[0], spectrum.wavelengths[-1]
    return {
        "range": [float(f"{low:.6g}"), float(f"{high:.6g}")],
        "scale": float(f"{scale:.5g}"),
        "flux": flux,
        "error": error,
        "unit": spectrum.unit,
    }


def unpacked(spectrum: Measured) -> Spectrum:
    """Unpack a spectrum."""
    flux, error = (
        np.frombuffer(base64.b64decode(spectrum[key]), "<i2").astype(float)
        for key in ("flux", "error")
    )
    missing = flux == NOTHING, error == NOTHING
    flux[missing[0]] = error[missing[1]] = np.nan
    scale = spectrum["scale"]
    low, high = spectrum["range"]
    axis = np.linspace(low, high, flux.size)
    return Spectrum(axis, scale * flux, scale * error, spectrum["unit"])


def rebinned(spectrum: Spectrum, points: int) -> Spectrum:
    """Average a spectrum in at most `points` bins of one width."""
    axis = spectrum.wavelengths
    count = min(points, axis.size)
    low, high = float(axis[0]), float(axis[-1])
    grid = np.linspace(low, high, count)
    if count == axis.size and np.allclose(grid, axis, rtol=0, atol=(high - low) / count / 100):
        return spectrum
    usable = np.isfinite(spectrum.flux) & np.isfinite(spectrum.error)
    width = (high - low) / max(count - 1, 1) or 1.0
    bins = np.round((axis[usable] - low) / width).astype(int)
    number = np.bincount(bins, minlength=count)
    with np.errstate(divide="ignore", invalid="ignore"):
        flux = np.bincount(bins, spectrum.flux[usable], count) / number
        error = np.sqrt(np.bincount(bins, spectrum.error[usable] ** 2, count)) / number
    return Spectrum(grid, flux, error, spectrum.unit)
