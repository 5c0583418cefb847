"""Small grey images of cut-outs, as they are part of a page."""

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np

from ..quicklook.cutouts import Cutout

#: Maximum number of rows; and levels of grey, of four bits.
ROWS, LEVELS = 32, 16
#: Percentiles of the values that are black and white.
PERCENTILES = (5.0, 99.7)


def encode_images(cutouts: Sequence[Cutout], columns: int) -> list[str]:
    """Encode images of cut-outs, of at most so many columns, in one stretch: PNG in base64."""
    small = [downsample(mask_unusable(cutout), columns) for cutout in cutouts]
    values = np.concatenate([plane[np.isfinite(plane)] for plane in small])
    low, high = np.percentile(values, PERCENTILES) if values.size else (0.0, 1.0)
    span = float(high - low) or 1.0
    images = []
    for plane in small:
        level = np.clip((np.nan_to_num(plane, nan=low) - low) / span, 0, 1)
        # Asinh, so that faint traces show beside bright lines.
        level = np.arcsinh(5 * level) / np.arcsinh(5)
        pixels = np.round(level * (LEVELS - 1)).astype(np.uint8)
        images.append(base64.b64encode(encode_png(pixels[::-1])).decode())
    return images


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
    """Encode levels from 0 to 15 as PNG, of four bits per pixel."""
    rows, columns = pixels.shape
    even = np.pad(pixels, ((0, 0), (0, columns % 2)))
    bytes_of_rows = even[:, ::2] << 4 | even[:, 1::2]
    lines = b"".join(b"\0" + line.tobytes() for line in bytes_of_rows)
    header = struct.pack(">IIBBBBB", columns, rows, 4, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
