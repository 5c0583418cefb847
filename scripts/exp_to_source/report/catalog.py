"""The catalogue of all sources: what the source list, measurements and spectra know of each."""

import io
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from astropy import units
from astropy.io import fits

from ..files import write_file
from ..quicklook.digests import read_picture_digest, read_spectrum_digest
from ..quicklook.spectra import Spectrum, read_extracted
from ..results import product_path, quicklook_path, spectrum_path
from ..tables import read_sources
from .measure import Measurement, decode, read_measurements


class Column(NamedTuple):
    """A column of the catalogue, see docs/reference/files.md."""

    name: str
    description: str  #: TCOMM
    kind: type = str
    unit: str = ""  #: TUNIT
    ucd: str = ""  #: TUCD: https://www.ivoa.net/documents/UCD1+


COLUMNS = (
    Column("product", "name of the product", ucd="meta.id;meta.main"),
    Column("source_id", "SOURCEID, or the target of a join", int, ucd="meta.id"),
    Column("class", "s source, b background slitlet, v virtual slit"),
    Column("source_name", "SRCNAMEs, separated by commas", ucd="meta.id"),
    Column("slit_name", "SLTNAMEs, separated by commas"),
    Column("ra", "SRCRA (ICRS)", float, "deg", "pos.eq.ra;meta.main"),
    Column("dec", "SRCDEC (ICRS)", float, "deg", "pos.eq.dec;meta.main"),
    Column("source_type", "SRCTYPE: POINT, EXTENDED"),
    Column("snr", "median signal-to-noise ratio of a pixel", float, ucd="stat.snr"),
    Column("line_snr", "signal-to-noise ratio of the brightest line", float, ucd="stat.snr"),
    Column("line_wavelength", "its wavelength", float, "um", "em.wl"),
    Column("flux_density", "median of the spectrum", float, "uJy", "phot.flux.density"),
    Column("magnitude", "the same, AB", float, "mag", "phot.mag"),
    Column("flux_from", "spectrum of these: x1d, or sum (sum along the trace)"),
    Column("usable", "usable fraction of the pixels", float),
    Column("wavelength_min", "shortest wavelength", float, "um", "em.wl;stat.min"),
    Column("wavelength_max", "longest wavelength", float, "um", "em.wl;stat.max"),
    Column("exposures", "number of exposures", int, ucd="meta.number"),
    Column("slits", "number of entries", int, ucd="meta.number"),
    Column("detectors", "detectors of the exposures"),
    Column("exposure_type", "EXP_TYPE"),
    Column("cal", "product, relative to this file", ucd="meta.ref.url"),
    Column("x1d", "extracted spectrum, likewise", ucd="meta.ref.url"),
    Column("s2d", "resampled cut-out, likewise (NIRSpec)", ucd="meta.ref.url"),
    Column("c1d", "combined spectrum, likewise (WFSS)", ucd="meta.ref.url"),
    Column("picture", "quick look, likewise", ucd="meta.ref.url"),
)


def write_catalog(output: str, table: str, measured: Iterable[str]) -> None:
    """Write the catalogue of the sources of a run as a FITS table, beside their source list.

    Spectra, pictures and measurements of an earlier state of a product do not count. What there is
    not is NaN or empty.
    """
    results = os.path.dirname(table)
    sources = read_sources(table)
    digests = {name: source["digest"] for name, source in sources.items()}
    measurements = read_measurements(measured, digests)
    rows = [
        describe_source(results, source, measurements.get(name, {}))
        for name, source in sources.items()
    ]
    data = [make_column(column, [row[column.name] for row in rows]) for column in COLUMNS]
    hdu = fits.BinTableHDU.from_columns(data, name="CATALOG")
    hdu.header["RADESYS"] = "ICRS"
    for number, column in enumerate(COLUMNS, 1):
        hdu.header[f"TCOMM{number}"] = column.description
        if column.ucd:
            hdu.header[f"TUCD{number}"] = column.ucd
    content = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(content)
    write_file(output, content.getvalue())


def describe_source(
    results: str, source: Mapping[str, str], measurement: Measurement
) -> dict[str, Any]:
    """Return the row of a source, by column; None or empty for what is not known."""
    name, digest = source["product"], source["digest"]
    paths = {"cal": product_path(results, name)}
    if read_spectrum_digest(results, name) == digest:
        paths |= {kind: spectrum_path(results, name, kind) for kind in ("x1d", "s2d", "c1d")}
    picture = quicklook_path(results, name)
    if os.path.exists(picture) and read_picture_digest(picture) == digest:
        paths["picture"] = picture
    # A slit has no c1d, a grism no s2d.
    paths = {key: path for key, path in paths.items() if os.path.exists(path)}
    spectra, origin = [decode(encoded) for encoded in measurement.get("sums", [])], "sum"
    if "x1d" in paths and (extracted := read_extracted(paths["x1d"])):
        spectra, origin = extracted, "x1d"
    flux = get_flux_density(spectra)
    usable = measurement.get("usable")
    return {
        **dict.fromkeys(column.name for column in COLUMNS),
        **source,
        **measurement,
        "flux_density": flux,
        "flux_from": origin if flux is not None else "",
        "magnitude": (flux * units.uJy).to_value(units.ABmag) if flux and flux > 0 else None,
        "usable": None if usable is None else round(usable / 100, 3),
        **dict.fromkeys(("cal", "x1d", "s2d", "c1d", "picture"), ""),
        **{key: os.path.relpath(path, results) for key, path in paths.items()},
    }


def get_flux_density(spectra: Iterable[Spectrum]) -> float | None:
    """Return the median (µJy) of the spectral order with the best S/N; None without any flux."""
    calibrated = [s for s in spectra if s.unit == "µJy" and np.isfinite(s.flux).any()]
    best = max(calibrated, key=lambda s: s.signal_to_noise, default=None)
    return None if best is None else float(np.nanmedian(best.flux))


def make_column(column: Column, values: list[Any]) -> fits.Column:
    """Make a column of a FITS table."""
    if column.kind is str:
        # FITS has ASCII only.
        texts = [value.encode("ascii", "backslashreplace") for value in values]
        return fits.Column(column.name, f"{max(map(len, texts), default=1) or 1}A", array=texts)
    known = [np.nan if value in (None, "") else column.kind(value) for value in values]
    form = "K" if column.kind is int else "D"
    return fits.Column(column.name, form, column.unit or None, array=np.array(known, column.kind))
