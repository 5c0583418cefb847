"""Small grey images of cut-outs, as they are part of a page."""

import base64
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..quicklook.cutouts import Cutout
from ..quicklook.resampled import align_columns
from ..quicklook.spectra import SHOWN_UNITS
from ..quicklook.stretch import compute_stretch

#: Maximum number of rows; and levels of grey, of four bits. The lowest, transparent, is NaN.
ROWS, LEVELS = 32, 16

Image = dict[str, Any]


def encode_images(cutouts: Sequence[Cutout], columns: int) -> list[Image]:
    """Encode images of cut-outs, of at most so many columns, those of one unit in one stretch.

    Of each image: ``png`` in base64; ``range``, the wavelengths of its edges, evenly spaced, in
    microns, or null; ``grey``, the values of black and white and up to which the stretch is linear,
    in ``unit``; ``rows``, from the lower edge as a fraction of its height: that expected of the
    source, or the edges of its aperture.
    """
    images: list[Image] = []
    planes = []
    groups: dict[str, list[np.ndarray]] = {}
    for cutout in cutouts:
        plane, limits = align_wavelengths(cutout, columns)
        planes.append((downsample(plane, columns), limits))
        groups.setdefault(cutout.unit, []).append(planes[-1][0])
    norms = {unit: compute_stretch(group) for unit, group in groups.items()}
    for cutout, (plane, limits) in zip(cutouts, planes, strict=True):
        norm = norms[cutout.unit]
        levels = 1 + np.round(norm(np.nan_to_num(plane)) * (LEVELS - 2))
        levels = np.where(np.isfinite(plane), levels, 0).astype(np.uint8)
        unit, factor = SHOWN_UNITS.get(cutout.unit, (cutout.unit, 1.0))
        grey = [getattr(norm, key) for key in ("vmin", "vmax", "linear_width")]
        expected = () if cutout.expected_row is None else (cutout.expected_row,)
        heights = [(row + 0.5) / cutout.data.shape[0] for row in cutout.aperture or expected]
        images.append(
            {
                "png": base64.b64encode(encode_png(levels[::-1])).decode(),
                "range": limits,
                "grey": [float(f"{factor * value:.3g}") for value in grey],
                "unit": unit,
                "rows": [round(height, 3) for height in heights],
            }
        )
    return images


def align_wavelengths(cutout: Cutout, columns: int) -> tuple[np.ndarray, list[float] | None]:
    """Resample a cut-out evenly in wavelength; return it with the wavelengths of its edges."""
    if cutout.wavelengths is None or np.isfinite(cutout.wavelengths).sum() < 2:
        return mask_unusable(cutout), None
    low, high = float(np.nanmin(cutout.wavelengths)), float(np.nanmax(cutout.wavelengths))
    count = min(columns, cutout.data.shape[1])
    return align_columns(cutout, low, high, count), [float(f"{x:.6g}") for x in (low, high)]


def mask_unusable(cutout: Cutout) -> np.ndarray:
    """Return the values of a cut-out, with NaN for unusable pixels."""
    return np.where(cutout.unusable, np.nan, cutout.data).astype(float)


def downsample(plane: np.ndarray, columns: int) -> np.ndarray:
    """Average neighbouring pixels, so that a plane fits in `ROWS` and `columns`."""
    for axis, limit in enumerate((ROWS, columns)):
        step = -(-plane.shape[axis] // limit)
        if step > 1:
            starts = np.arange(0, plane.shape[axis], step)
            count = np.add.reduceat(np.isfinite(plane).astype(float), starts, axis)
            total = np.add.reduceat(np.nan_to_num(plane), starts, axis)
            with np.errstate(invalid="ignore"):
                plane = np.where(count > 0, total / count, np.nan)
    return plane


def encode_png(pixels: np.ndarray) -> bytes:
    """Encode levels from 0, which is transparent, to 15 as PNG, of four bits per pixel."""
    rows, columns = pixels.shape
    even = np.pad(pixels, ((0, 0), (0, columns % 2)))
    bytes_of_rows = even[:, ::2] << 4 | even[:, 1::2]
    lines = b"".join(b"\0" + line.tobytes() for line in bytes_of_rows)
    header = struct.pack(">IIBBBBB", columns, rows, 4, 0, 0, 0, 0)
    chunks = {b"IHDR": header, b"tRNS": b"\0\0", b"IDAT": zlib.compress(lines, 9), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    )
