"""What the page shows of each source besides its row: images, spectrum, entries, quick look."""

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..quicklook.digests import read_picture_digest, read_spectrum_digest
from ..quicklook.resampled import read_resampled
from ..quicklook.spectra import read_extracted
from ..results import quicklook_path, spectrum_path
from .coverage import Coverage
from .images import Image, encode_images
from .measure import Measurement, decode, encode

#: Bytes of all images, of all spectra and of all quick looks that the page may have. If they would
#: be more, there are fewer images, shorter spectra, and references to the files of quick looks.
MAX_IMAGES, MAX_SPECTRA, MAX_QUICKLOOKS = 14_000_000, 5_000_000, 4_000_000
#: Bytes of a point of a spectrum: value and error in base64.
POINT_SIZE = 5.4
#: Resampled cut-outs are shown if the products are not more: to read one takes some 10 ms.
MAX_RESAMPLED = 600
#: Limits of the number of points of a spectrum.
MIN_POINTS, MAX_POINTS = 64, 400


def make_views(
    results: str,
    digests: Mapping[str, str],
    coverage: Mapping[str, Coverage],
    measurements: Mapping[str, Measurement],
) -> dict[str, Any]:
    """Collect the views of products; spectra and pictures of another digest are not shown.

    Of each product: ``extracted`` is ``current`` if its spectrum is one of `spec3`, ``earlier`` if
    there is one of another digest; ``spectra`` are one for each order and
    unit; ``entries`` are exposure, SLTNAME, SHUTSTA, unit, rows, columns and order.
    """
    measured = [measurements.get(name, {}) for name in digests]
    spectra, extracted = [], []
    for (name, digest), measurement in zip(digests.items(), measured, strict=True):
        curves = read_extracted(spectrum_path(results, name, "x1d"))
        state = "current" if curves else ""
        if curves and read_spectrum_digest(results, name) != digest:
            curves, state = [], "earlier"
        curves = curves or [decode(encoded) for encoded in measurement.get("sums", ())]
        spectra.append(curves)
        extracted.append(state)
    limit = MAX_SPECTRA / POINT_SIZE / max(sum(map(len, spectra)), 1)
    points = int(min(MAX_POINTS, max(MIN_POINTS, limit)))
    resampled: list[list[Image]] = [[] for _ in digests]
    if len(digests) <= MAX_RESAMPLED:
        for n, name in enumerate(digests):
            if extracted[n] == "current" and (cutout := read_resampled(results, name)):
                resampled[n] = encode_images([cutout], MAX_POINTS)
    return {
        "resampled": choose_images(resampled),
        "images": choose_images([measurement.get("images", []) for measurement in measured]),
        "spectra": [
            list(filter(None, (encode(curve, points) for curve in curves))) for curves in spectra
        ],
        "extracted": extracted,
        "entries": [
            [[*slit, *entry] for slit, entry in zip(coverage[name].entries, entries, strict=False)]
            for name, entries in zip(digests, (m.get("entries", []) for m in measured), strict=True)
        ],
        "quicklooks": read_quicklooks(results, digests),
    }


def choose_images(images: list[list[Image]]) -> list[list[Image]]:
    """Return as many images of each product as the page may have: all, the first few, or none."""
    for count in range(max(map(len, images), default=0), 0, -1):
        if sum(len(image["png"]) for row in images for image in row[:count]) <= MAX_IMAGES:
            return [row[:count] for row in images]
    return [[] for _ in images]


def read_quicklooks(results: str, digests: Mapping[str, str]) -> list[str | int]:
    """Return, for each product, its picture as base64, 1 if it is a separate file, 0 for none."""
    paths = {name: quicklook_path(results, name) for name in digests}
    current = {
        name: path
        for name, path in paths.items()
        if os.path.isfile(path) and read_picture_digest(path) == digests[name]
    }
    if sum(map(os.path.getsize, current.values())) > MAX_QUICKLOOKS:
        return [int(name in current) for name in digests]
    return [
        base64.b64encode(Path(paths[name]).read_bytes()).decode() if name in current else 0
        for name in digests
    ]
