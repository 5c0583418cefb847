"""Cut-outs of a product, ready to draw: wavelength to the right, bad pixels marked."""

import math
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from astropy.io import fits

from ..errors import InputError

#: Bit of a data quality plane: the pixel has no valid value.
DO_NOT_USE = 1
#: Trees of more bytes than this are not looked into: it would take longer than all else.
LARGEST_TREE = 8_000_000
#: Values of WAVELENGTH planes are in microns; their headers do not say so.
WAVELENGTH_UNIT = "µm"


class Cutout(NamedTuple):
    """One entry of a product.

    Attributes
    ----------
    number : int
        Its EXTVER.
    exposure : str
        Name of its exposure, empty if it is not known.
    slit : str
        Name of its slit.
    order : int or None
        Spectral order.
    unit : str
        Unit of the values.
    data : numpy.ndarray
        Values, of shape (pixels across the dispersion, pixels along it).
    unusable : numpy.ndarray
        True for pixels with DO_NOT_USE in their data quality, in the same shape.
    wavelengths : numpy.ndarray or None
        Median wavelength at each pixel along the dispersion, in microns; NaN for none.
    turned : bool
        Whether rows and columns were exchanged, as the dispersion is along the columns of the file.
    error : numpy.ndarray or None
        Standard deviation of the values, in the same shape.
    area : float or None
        Solid angle of a pixel, in steradians.
    place : (float, float) or None
        Where the source is in its slit (SRCXPOS, SRCYPOS); none for slits without a source.
    row : float or None
        Where the WCS expects the source: number of the row, from zero.
    nod : str
        Position of its dither, of how many.
    """

    number: int
    exposure: str
    slit: str
    order: int | None
    unit: str
    data: np.ndarray
    unusable: np.ndarray
    wavelengths: np.ndarray | None
    turned: bool
    error: np.ndarray | None = None
    area: float | None = None
    place: tuple[float, float] | None = None
    row: float | None = None
    nod: str = ""


class Entries(NamedTuple):
    """Content of a quick look.

    Attributes
    ----------
    source_id : str
        SOURCEID of the first entry.
    source_name : str
        SRCNAME, empty if there is none.
    setting : str
        Instrument and optical elements.
    position : (float, float) or None
        Right ascension and declination, in degrees.
    total : int
        Number of entries of the product.
    cutouts : list of Cutout
        The first of them.
    tree : bytes
        Its ASDF tree, or none.
    """

    source_id: str
    source_name: str
    setting: str
    position: tuple[float, float] | None
    total: int
    cutouts: list[Cutout]
    tree: bytes


def read_entries(path: str, exposures: Sequence[str], limit: int) -> Entries:
    """Read the cut-outs of a product.

    Only the planes that are drawn are read, and no ASDF tree, so that it takes a fraction of the
    time that the data models need.

    Parameters
    ----------
    path : str
        A source-based product.
    exposures : sequence of str
        Name of the exposure of each entry, in order; may be empty.
    limit : int
        Maximum number of entries to read.

    Raises
    ------
    InputError
        If the file has no cut-outs, or is damaged.
    """
    try:
        with fits.open(path, memmap=False) as hdus:
            planes = {(hdu.name, hdu.ver): hdu for hdu in hdus[1:]}
            numbers = [number for name, number in planes if name == "SCI"]
            if not numbers:
                raise InputError(f"{path}: has no SCI extension; give a source-based product")
            names = exposures if len(exposures) == len(numbers) else [""] * len(numbers)
            first = planes["SCI", numbers[0]].header
            return Entries(
                source_id=str(first.get("SOURCEID", "")),
                source_name=str(first.get("SRCNAME", "")).strip(),
                setting=_setting(hdus[0].header),
                position=position_of(first),
                total=len(numbers),
                cutouts=[
                    _read_cutout(planes, number, name)
                    for number, name in islice(zip(numbers, names, strict=True), limit)
                ],
                tree=_tree_of(planes),
            )
    except (OSError, ValueError, TypeError, KeyError, fits.VerifyError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise InputError(f"{path}: cannot be read as FITS ({error}); make it again") from error


def _setting(header: fits.Header) -> str:
    words = (str(header.get(key, "")) for key in ("INSTRUME", "FILTER", "GRATING", "PUPIL"))
    return " ".join(word for word in words if word not in ("", "N/A", "NONE"))


def _tree_of(planes: dict[tuple[str, int], fits.ImageHDU]) -> bytes:
    hdu = planes.get(("ASDF", 1))
    return hdu.data.tobytes() if hdu is not None and hdu.size <= LARGEST_TREE else b""


def position_of(header: fits.Header) -> tuple[float, float] | None:
    """Return where the source is; background and virtual slits have zeros."""
    ra, dec = (header.get(key) for key in ("SRCRA", "SRCDEC"))
    return _pair(ra, dec) if (ra, dec) != (0.0, 0.0) else None


def _pair(*values: object) -> tuple[float, float] | None:
    numbers = [float(value) for value in values if isinstance(value, (int, float))]
    return (
        (numbers[0], numbers[1]) if len(numbers) == 2 and all(map(math.isfinite, numbers)) else None
    )


def _read_cutout(
    planes: dict[tuple[str, int], fits.ImageHDU], number: int, exposure: str
) -> Cutout:
    sci = planes["SCI", number]
    data = np.array(sci.data, np.float32, ndmin=2)
    quality = planes.get(("DQ", number))
    unusable = np.zeros(data.shape, bool)
    if quality is not None and quality.shape == data.shape:
        unusable = (quality.data & DO_NOT_USE) != 0
    plane = planes.get(("WAVELENGTH", number))
    wavelengths = None
    if plane is not None and plane.shape == data.shape:
        wavelengths = np.array(plane.data, np.float32)
        # Pixels outside the slit have no wavelength, or zero in older products.
        wavelengths[wavelengths <= 0] = np.nan
    plane = planes.get(("ERR", number))
    error = None
    if plane is not None and plane.shape == data.shape:
        error = np.array(plane.data, np.float32)
    turned = is_dispersed_along_columns(sci.header.get("DISPAXIS"), wavelengths)
    if turned:
        data, unusable = data.T, unusable.T
        wavelengths = None if wavelengths is None else wavelengths.T
        error = None if error is None else error.T
    area = sci.header.get("PIXAR_SR")
    order = sci.header.get("SPORDER")
    return Cutout(
        number=number,
        exposure=exposure,
        slit=str(sci.header.get("SLTNAME", "")).strip(),
        order=order if isinstance(order, int) else None,
        unit=str(sci.header.get("BUNIT", "")).strip(),
        data=data,
        unusable=unusable,
        wavelengths=None if wavelengths is None else median_along(wavelengths),
        turned=turned,
        error=error,
        place=_pair(*map(sci.header.get, ("SRCXPOS", "SRCYPOS")))
        # The pipeline gives fixed slits no place of their source in the sky.
        if position_of(sci.header) or "SRCRA" not in sci.header
        else None,
        area=area if isinstance(area, float) and area > 0 else None,
    )


def is_dispersed_along_columns(dispaxis: object, wavelengths: np.ndarray | None) -> bool:
    """Whether wavelength changes from row to row rather than from column to column.

    Parameters
    ----------
    dispaxis : object
        Value of DISPAXIS: 1 along rows, 2 along columns; otherwise the wavelengths decide.
    wavelengths : numpy.ndarray or None
        Wavelength of each pixel.
    """
    if dispaxis in (1, 2) or wavelengths is None:
        return dispaxis == 2
    return _steepness(wavelengths, axis=0) > _steepness(wavelengths, axis=1)


def _steepness(wavelengths: np.ndarray, axis: int) -> float:
    """Median change of the wavelength from one pixel to the next."""
    steps = np.abs(np.diff(wavelengths, axis=axis))
    steps = steps[np.isfinite(steps)]
    return float(np.median(steps)) if steps.size else 0.0


def median_along(wavelengths: np.ndarray) -> np.ndarray:
    """Median of each column, NaN if all of it is NaN."""
    median = np.full(wavelengths.shape[1], np.nan)
    known = np.isfinite(wavelengths).any(axis=0)
    if known.any():
        median[known] = np.nanmedian(wavelengths[:, known], axis=0)
    return median
