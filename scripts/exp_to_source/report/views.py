"""What the page shows of each source besides its row: images, spectrum, entries."""

import json
import os
from collections.abc import Mapping, Sequence
from glob import escape, glob
from typing import Any

from ..quicklook.extracted import read_extracted
from ..results import MEASURED, spectrum_path
from .coverage import Coverage
from .measure import Measured, packed, unpacked

#: Bytes of all images, and of all spectra, that the page may have; there are fewer or shorter ones
#: if they would be more.
IMAGES, SPECTRA = 14_000_000, 5_000_000
#: Bytes of a point of a spectrum: value and error in base64.
POINT = 5.4
#: Least and greatest number of points of a spectrum.
FEWEST, MOST = 64, 400


def read_measured(results: str, products: Sequence[str]) -> dict[str, Measured]:
    """Read what was measured of products; nothing for those that were not."""
    wanted = set(products)
    measured = {}
    for path in sorted(glob(os.path.join(escape(results), MEASURED, "*.jsonl"))):
        with open(path, encoding="utf-8") as file:
            for line in file:
                found = json.loads(line)
                if found["product"] in wanted:
                    measured[found["product"]] = found
    return measured


def views(
    results: str,
    products: Sequence[str],
    coverage: Mapping[str, Coverage],
    measured: Mapping[str, Measured],
) -> dict[str, Any]:
    """Images, spectra and entries of all products, as the page has them.

    Returns
    -------
    dict
        ``images``, ``spectra``, ``extracted`` (whether a spectrum is one of `spec3`), ``entries``
        (exposure, unit, rows, columns, order) and ``positions``, for each product.
    """
    points = int(min(MOST, max(FEWEST, SPECTRA / POINT / max(len(products), 1))))
    found = [measured.get(name, {}) for name in products]
    spectra, extracted = [], []
    for name, about in zip(products, found, strict=True):
        spectrum = read_extracted(spectrum_path(results, name, "x1d"))
        extracted.append(int(spectrum is not None))
        if spectrum is None and about.get("sum"):
            spectrum = unpacked(about["sum"])
        spectra.append(packed(spectrum, points))
    return {
        "images": chosen_images([about.get("images", []) for about in found]),
        "spectra": spectra,
        "extracted": extracted,
        "entries": [
            [
                [exposure, *entry]
                for exposure, entry in zip(
                    coverage[name].entries, about.get("entries", []), strict=False
                )
            ]
            for name, about in zip(products, found, strict=True)
        ],
        "positions": [about.get("position") for about in found],
    }


def chosen_images(images: list[list[str]]) -> list[list[str]]:
    """Return as many images of each product as the page may have: all, the first few, or none."""
    for count in (*range(max(map(len, images), default=0), 0, -1), 0):
        if sum(len(image) for some in images for image in some[:count]) <= IMAGES:
            return [some[:count] for some in images]
    return images
