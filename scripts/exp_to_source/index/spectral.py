"""The range of wavelengths of a slit, from a few pixels of its WAVELENGTH plane."""

import os
import struct
from collections.abc import Iterable

from .fitsfile import HDU

#: How many lines along the dispersion are looked at, evenly spread over the slit.
LINES = 3


def wavelength_range(file: int, plane: HDU, vertical: bool) -> list[float] | None:
    """Find the wavelengths at both ends of some lines along the dispersion.

    Wavelengths grow, or fall, along a line; so these are its extremes, and few bytes are read.

    Parameters
    ----------
    file : int
        The exposure, open.
    plane : HDU
        A WAVELENGTH plane: microns, 32-bit floating point, NaN or 0 where there is none.
    vertical : bool
        Whether light is dispersed along columns.

    Returns
    -------
    list of float or None
        Shortest and longest wavelength in microns, to six digits; None where no line has any.
    """
    if len(plane.shape) != 2 or plane.header.get("BITPIX") != -32:
        return None
    rows, columns = plane.shape
    across, along = (columns, rows) if vertical else (rows, columns)
    # Bytes from one pixel of a line to the next, and from one line to the next.
    step, stride = (4 * columns, 4) if vertical else (4, 4 * columns)
    found = []
    for number in range(1, LINES + 1):
        start = plane.data_start + across * number // (LINES + 1) * stride
        places = range(start, start + along * step, step)
        for order in (places, places[::-1]):
            pixels = (struct.unpack(">f", os.pread(file, 4, place))[0] for place in order)
            found += _first(pixels)
    return [float(f"{limit:.6g}") for limit in (min(found), max(found))] if found else None


def _first(pixels: Iterable[float]) -> list[float]:
    """Return the first pixel that has a wavelength, in a list, which is empty where none has."""
    return next(([pixel] for pixel in pixels if 0 < pixel < float("inf")), [])
