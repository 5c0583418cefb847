"""Measurements of products: signal-to-noise, usable pixels, images, spectrum."""

import base64
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..files import write_file
from ..formats.manifests import digest_manifest
from ..quicklook.cutouts import read_cutouts
from ..quicklook.expected_rows import add_expected_rows
from ..quicklook.spectra import (
    Spectrum,
    compute_flux_limits,
    find_brightest_line,
    get_signal_to_noise,
    sum_cutouts,
)
from ..results import CAL, manifest_path
from .images import encode_images, mask_unusable

#: Maximum number of entries of a product that are measured, and of points of a spectrum.
MAX_ENTRIES, MAX_POINTS = 200, 400
#: NaN in encoded numbers.
MISSING = -32768

Measurement = dict[str, Any]


def measure_products(
    products: Iterable[str], results: str, output: str, images: int, width: int
) -> None:
    """Measure products, a line of JSON for each; of one that cannot be read only name and digest.

    So many of its entries have an image, with at most this width in pixels.
    """
    lines = []
    for path in products:
        product = os.path.basename(path).removesuffix(CAL)
        digest = digest_manifest(Path(manifest_path(results, product)).read_bytes())
        measurement = measure_product(path, images, width)
        lines.append(json.dumps({"product": product, "digest": digest, **measurement}))
    write_file(output, "".join(f"{line}\n" for line in lines).encode())


def measure_product(path: str, images: int, width: int) -> Measurement:
    """Measure a product, see `measure_products`."""
    try:
        product = add_expected_rows(read_cutouts(path, [], MAX_ENTRIES))
    except InputError:
        return {}
    cutouts = product.cutouts
    sums = sum_cutouts(cutouts)
    line = find_brightest_line(sums)
    has_wavelengths = any(cutout.wavelengths is not None for cutout in cutouts)
    pixels = sum(cutout.data.size for cutout in cutouts)
    usable = sum(int(np.isfinite(mask_unusable(cutout)).sum()) for cutout in cutouts)
    return {
        "snr": None if (ratio := get_signal_to_noise(sums)) is None else round(ratio, 2),
        "line_snr": round(line.signal_to_noise, 2) if line else None,
        "line_wavelength": round(line.wavelength, 5) if line and has_wavelengths else None,
        "usable": round(100 * usable / max(pixels, 1), 1),
        "entries": [[cutout.unit, *cutout.data.shape, cutout.order or 0] for cutout in cutouts],
        "images": encode_images(cutouts[:images], width),
        "sums": [encoded for encoded in (encode(s, MAX_POINTS) for s in sums) if encoded],
    }


def read_measurements(paths: Iterable[str], digests: Mapping[str, str]) -> dict[str, Measurement]:
    """Read the measurements of products whose digests are still these."""
    measurements = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for measurement in map(json.loads, file):
                if digests.get(measurement["product"]) == measurement["digest"]:
                    measurements[measurement["product"]] = measurement
    return measurements


def encode(spectrum: Spectrum | None, points: int) -> dict[str, Any] | None:
    """Encode a spectrum in few bytes: evenly spaced in wavelength, 16 bits per number.

    Values far beyond ``limits``, of the flux to show, are cut, as they would coarsen all others.
    """
    if spectrum is None or not np.isfinite(spectrum.flux).any():
        return None
    limits = compute_flux_limits(spectrum)
    spectrum = rebin(spectrum, points)
    planes = np.array([spectrum.flux, spectrum.error])
    finite = np.isfinite(planes)
    largest = 4 * max(*np.abs(limits), np.median(np.nan_to_num(spectrum.error))) or 1.0
    planes = np.clip(planes, -largest, largest)
    scale = float(np.abs(planes[finite]).max()) / 32767 or 1.0
    steps = np.where(finite, np.round(np.nan_to_num(planes) / scale), MISSING).astype("<i2")
    flux, error = (base64.b64encode(row.tobytes()).decode() for row in steps)
    return {
        "range": [float(f"{spectrum.wavelengths[n]:.6g}") for n in (0, -1)],
        "limits": [float(f"{limit:.4g}") for limit in limits],
        "scale": float(f"{scale:.5g}"),
        "flux": flux,
        "error": error,
        "unit": spectrum.unit,
        "order": spectrum.order,
    }


def decode(encoded: Mapping[str, Any]) -> Spectrum:
    """Decode a spectrum."""
    flux, error = (
        np.frombuffer(base64.b64decode(encoded[key]), "<i2").astype(float)
        for key in ("flux", "error")
    )
    flux[flux == MISSING] = error[error == MISSING] = np.nan
    low, high = encoded["range"]
    scale, unit, order = (encoded[key] for key in ("scale", "unit", "order"))
    wavelengths = np.linspace(low, high, flux.size)
    return Spectrum(wavelengths, scale * flux, scale * error, unit, order, encoded.get("limits"))


def rebin(spectrum: Spectrum, points: int) -> Spectrum:
    """Average a spectrum in at most `points` bins of one width; empty ones take the nearest."""
    wavelengths = spectrum.wavelengths
    count = min(points, wavelengths.size)
    low, high = float(wavelengths[0]), float(wavelengths[-1])
    grid = np.linspace(low, high, count)
    tolerance = (high - low) / count / 100
    if count == wavelengths.size and np.allclose(grid, wavelengths, rtol=0, atol=tolerance):
        return spectrum
    usable = np.isfinite(spectrum.flux) & np.isfinite(spectrum.error)
    width = (high - low) / max(count - 1, 1) or 1.0
    bins = np.round((wavelengths[usable] - low) / width).astype(int)
    number = np.bincount(bins, minlength=count)
    with np.errstate(divide="ignore", invalid="ignore"):
        flux = np.bincount(bins, spectrum.flux[usable], count) / number
        error = np.sqrt(np.bincount(bins, spectrum.error[usable] ** 2, count)) / number
    # Where pixels are wider than bins: the dispersion of a prism varies by a factor of five.
    empty = number == 0
    nearest = np.searchsorted((wavelengths[1:] + wavelengths[:-1]) / 2, grid[empty])
    flux[empty], error[empty] = spectrum.flux[nearest], spectrum.error[nearest]
    return spectrum._replace(wavelengths=grid, flux=flux, error=error)
