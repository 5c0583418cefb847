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
#: A larger ASDF tree (bytes) is not read.
MAX_TREE_SIZE = 64_000_000
#: Values of WAVELENGTH planes are in microns; their headers do not say so.
WAVELENGTH_UNIT = "µm"

HDUs = dict[tuple[str, int], fits.ImageHDU]


class Cutout(NamedTuple):
    """An entry of a product. Arrays have the shape (pixels across the dispersion, along it)."""

    number: int  #: EXTVER
    exposure: str  #: name; empty if unknown
    slit: str
    order: int | None  #: spectral order
    unit: str
    data: np.ndarray
    unusable: np.ndarray  #: True for pixels with DO_NOT_USE
    #: Median of each column, in microns, NaN for none; None if no pixel has a wavelength.
    wavelengths: np.ndarray | None
    transposed: bool  #: dispersed along the columns of the file, so rows and columns are exchanged
    error: np.ndarray | None = None
    pixel_area: float | None = None  #: in steradians
    start: tuple[float, float] | None = None  #: on the detector: SLTSTRT1, SLTSTRT2
    shutter: object = None  #: SHUTTRID: where positions in the slit begin, which follows nods
    slit_position: tuple[float, float] | None = None  #: SRCXPOS, SRCYPOS; None without a source
    #: Row of the source in each column according to the WCS, from zero; of the middle of the slit
    #: if it has no source.
    trace: np.ndarray | None = None
    expected_row: float | None = None  #: that of the source in the middle column
    nod: str = ""  #: position of its dither, of how many
    #: Edges of the aperture of its extracted spectrum, in rows from zero.
    aperture: tuple[float, float] | None = None
    wavelength_plane: np.ndarray | None = None  #: in microns, of each pixel; NaN for none


class ProductCutouts(NamedTuple):
    """Cut-outs of a product and what the picture shows besides."""

    source_id: str  #: of the first entry, as the name and the position
    source_name: str
    setting: str  #: instrument and optical elements
    position: tuple[float, float] | None  #: right ascension and declination, in degrees
    total: int  #: number of entries of the product
    cutouts: list[Cutout]  #: the first of them
    tree: bytes  #: ASDF tree, or empty


def read_cutouts(path: str, exposures: Sequence[str], limit: int) -> ProductCutouts:
    """Read the first cut-outs of a product, whose entries are of these exposures (may be empty).

    Only the planes that are drawn are read, and the ASDF tree stays bytes, so that it takes a
    fraction of the time that the data models need.
    """
    try:
        with fits.open(path, memmap=False) as hdu_list:
            hdus = {(hdu.name, hdu.ver): hdu for hdu in hdu_list[1:]}
            numbers = [number for name, number in hdus if name == "SCI"]
            if not numbers:
                raise InputError(f"{path}: has no SCI extension; expected a source-based product")
            names = exposures if len(exposures) == len(numbers) else [""] * len(numbers)
            first, primary = hdus["SCI", numbers[0]].header, hdu_list[0].header
            optics = (str(primary.get(k, "")) for k in ("INSTRUME", "FILTER", "GRATING", "PUPIL"))
            tree = hdus.get(("ASDF", 1))
            return ProductCutouts(
                source_id=str(first.get("SOURCEID", "")),
                source_name=str(first.get("SRCNAME", "")).strip(),
                setting=" ".join(word for word in optics if word not in ("", "N/A", "NONE")),
                position=get_position(first),
                total=len(numbers),
                cutouts=[
                    _read_cutout(hdus, number, name)
                    for number, name in islice(zip(numbers, names, strict=True), limit)
                ],
                tree=tree.data.tobytes()
                if tree is not None and tree.size <= MAX_TREE_SIZE
                else b"",
            )
    except (OSError, ValueError, TypeError, KeyError, fits.VerifyError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise InputError(
            f"{path}: cannot be read as FITS ({error}); delete it and rerun"
        ) from error


def get_position(header: fits.Header) -> tuple[float, float] | None:
    """Return SRCRA and SRCDEC; background and virtual slits, which have zeros, have none."""
    position = _pair(header, "SRCRA", "SRCDEC")
    return position if position != (0.0, 0.0) else None


def _pair(header: fits.Header, *keys: str) -> tuple[float, float] | None:
    values = [header.get(key) for key in keys]
    x, y = (float(v) if isinstance(v, (int, float)) else math.nan for v in values)
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def _read_cutout(hdus: HDUs, number: int, exposure: str) -> Cutout:
    sci = hdus["SCI", number]
    data = _without_infinite(np.array(sci.data, np.float32, ndmin=2))

    def read_image(name: str) -> np.ndarray | None:
        hdu = hdus.get((name, number))
        return hdu.data if hdu is not None and hdu.shape == data.shape else None

    quality, wavelengths, error = map(read_image, ("DQ", "WAVELENGTH", "ERR"))
    unusable = np.zeros(data.shape, bool) if quality is None else (quality & DO_NOT_USE) != 0
    if wavelengths is not None:
        # Pixels outside the slit have no wavelength, or zero in older products.
        wavelengths = np.where(wavelengths > 0, wavelengths, np.nan).astype(np.float32)
        wavelengths = wavelengths if np.isfinite(wavelengths).any() else None
    if error is not None:
        error = _without_infinite(error)
    transposed = is_dispersed_along_columns(sci.header.get("DISPAXIS"), wavelengths)
    if transposed:
        data, unusable = data.T, unusable.T
        wavelengths, error = (None if p is None else p.T for p in (wavelengths, error))
    area, order = sci.header.get("PIXAR_SR"), sci.header.get("SPORDER")
    # The pipeline gives fixed slits no position of their source in the sky.
    has_source = get_position(sci.header) or "SRCRA" not in sci.header
    return Cutout(
        number=number,
        exposure=exposure,
        slit=str(sci.header.get("SLTNAME", "")).strip(),
        order=order if isinstance(order, int) else None,
        unit=str(sci.header.get("BUNIT", "")).strip(),
        data=data,
        unusable=unusable,
        wavelengths=None if wavelengths is None else compute_column_medians(wavelengths),
        transposed=transposed,
        error=error,
        pixel_area=area if isinstance(area, float) and area > 0 else None,
        start=_pair(sci.header, "SLTSTRT1", "SLTSTRT2"),
        shutter=sci.header.get("SHUTTRID"),
        slit_position=_pair(sci.header, "SRCXPOS", "SRCYPOS") if has_source else None,
        wavelength_plane=wavelengths,
    )


def _without_infinite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan).astype(np.float32)


def is_dispersed_along_columns(dispaxis: object, wavelengths: np.ndarray | None) -> bool:
    """Test for DISPAXIS 2; without a valid one, the wavelengths decide."""
    if dispaxis in (1, 2) or wavelengths is None:
        return dispaxis == 2
    steps = [np.abs(np.diff(wavelengths, axis=axis)) for axis in (0, 1)]
    finite = [step[np.isfinite(step)] for step in steps]
    down, along = (float(np.median(step)) if step.size else 0.0 for step in finite)
    return down > along


def compute_column_medians(wavelengths: np.ndarray) -> np.ndarray:
    """Return the median of each column, NaN if all of it is NaN."""
    median = np.full(wavelengths.shape[1], np.nan)
    valid = np.isfinite(wavelengths).any(axis=0)
    median[valid] = np.nanmedian(wavelengths[:, valid], axis=0)
    return median
