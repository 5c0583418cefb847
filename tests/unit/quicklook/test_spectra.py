"""Spectra: sums of rows, signal-to-noise ratio, expected row, extracted spectrum."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from exp_to_source.quicklook.cutouts import Cutout, read_cutouts
from exp_to_source.quicklook.expected_rows import add_expected_rows
from exp_to_source.quicklook.spectra import (
    Spectrum,
    average_spectra,
    combine_signal_to_noise,
    read_extracted,
    sum_rows,
)
from exp_to_source.simulate.exposures import simulate
from exp_to_source.simulate.modes import MODES
from exp_to_source.simulate.simulation import Simulation


def make_cutout(data: np.ndarray, **fields) -> Cutout:
    defaults = {
        "number": 1, "exposure": "", "slit": "", "order": None, "unit": "MJy", "transposed": False,
        "unusable": np.zeros(data.shape, bool), "wavelengths": np.arange(1.0, data.shape[1] + 1),
        "error": np.full(data.shape, 1e-13, "f4"),
    }  # fmt: skip
    return Cutout(**defaults | {"data": data.astype("f4")} | fields)


def test_rows_about_the_brightest_are_summed():
    data = np.zeros((20, 7))
    data[11:14] = 1e-12
    spectrum = sum_rows(make_cutout(data))
    assert spectrum.unit == "µJy"
    assert spectrum.flux == pytest.approx(3)
    assert spectrum.error == pytest.approx(0.1 * 5**0.5)
    assert spectrum.signal_to_noise == pytest.approx(3 / 0.1 / 5**0.5)
    # Four entries of a source have twice its signal-to-noise ratio.
    assert combine_signal_to_noise([spectrum] * 4) == pytest.approx(2 * spectrum.signal_to_noise)
    assert combine_signal_to_noise([]) == 0


def test_unusable_pixels_are_replaced_by_the_mean_of_their_column():
    data = np.full((5, 3), 1e-12)
    bad = np.zeros(data.shape, bool)
    bad[0, 1] = bad[:, 2] = True
    data[0, 1], data[2, 0] = 9, np.nan
    spectrum = sum_rows(make_cutout(data, unusable=bad))
    assert spectrum.flux[:2] == pytest.approx([5, 5])
    assert np.isnan(spectrum.flux[2])
    assert spectrum.error[0] > 0.1 * 5**0.5
    assert sum_rows(make_cutout(data, unusable=np.ones_like(bad))) is None
    assert sum_rows(make_cutout(data, error=None)) is None


def test_surface_brightness_is_flux_where_the_area_of_pixels_is_known():
    data = np.full((5, 3), 2.0)
    error = np.ones((5, 3), "f4")
    known = sum_rows(make_cutout(data, unit="MJy/sr", pixel_area=5e-13, error=error))
    assert (known.unit, *known.flux) == ("µJy", *[pytest.approx(5)] * 3)
    assert sum_rows(make_cutout(data, unit="MJy/sr", error=error)).unit == "MJy/sr"
    assert sum_rows(make_cutout(data, unit="DN/s", error=error)).unit == "DN/s"


def test_spectra_are_averaged_where_they_overlap():
    def spectrum(low: float, high: float, flux: float, unit: str = "µJy") -> Spectrum:
        axis = np.linspace(low, high, 11)
        return Spectrum(axis, np.full(11, flux), np.ones(11), unit)

    both = average_spectra([spectrum(1, 2, 1), spectrum(1.5, 2.5, 3), spectrum(1, 2, 9, "MJy/sr")])
    assert (both.wavelengths[0], both.wavelengths[-1]) == (1, 2.5)
    assert np.interp([1.2, 1.8, 2.3], both.wavelengths, both.flux) == pytest.approx([1, 2, 3])
    assert np.interp([1.2, 1.8], both.wavelengths, both.error) == pytest.approx([1, 0.5**0.5])
    assert average_spectra([]) is None


@pytest.mark.parametrize("mode", MODES)
def test_source_is_in_the_expected_row(mode: str, tmp_path: Path):
    options = {"exposures": 3, "sources": 4, "shape": (30, 40), "fixed_slits": ("S200A1",)}
    for path in simulate(Simulation(mode=mode, **options), tmp_path):
        # An exposure has what the tree of a product has, but under another name.
        content = read_cutouts(str(path), [], 9)
        content = add_expected_rows(
            content._replace(tree=content.tree.replace(b"\nslits:", b"\nexposures:"))
        )
        nods = set()
        for cutout in content.cutouts:
            profile = np.nansum(cutout.data, axis=1)
            assert abs(cutout.expected_row - np.argmax(profile)) < 1.6
            nods.add(cutout.nod)
        assert mode.endswith("wfss") or nods == {f"{path.name[21:25].lstrip('0')} of 3"}


def test_products_without_a_tree_are_drawn(tmp_path: Path):
    path = tmp_path / "p.fits"
    sci = fits.ImageHDU(np.ones((3, 4), "f4"), name="SCI", ver=1)
    fits.HDUList([fits.PrimaryHDU(), sci]).writeto(path)
    content = read_cutouts(str(path), [], 9)
    assert add_expected_rows(content) == content


def write_extracted(path: Path, name: str, **columns: object) -> str:
    table = [
        fits.Column(key, "5D", array=value, unit=unit) for key, (value, unit) in columns.items()
    ]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(table, name=name)]).writeto(path)
    return str(path)


def test_extracted_spectra_are_read(tmp_path: Path):
    rows = {
        "WAVELENGTH": ([[1, 2, 3, 4, np.nan]], "um"),
        "FLUX": ([[1e-6] * 5], "Jy"),
        "FLUX_ERROR": ([[1e-7] * 5], "Jy"),
    }
    spectrum = read_extracted(write_extracted(tmp_path / "a_x1d.fits", "EXTRACT1D", **rows))
    assert (spectrum.wavelengths.tolist(), spectrum.unit) == ([1, 2, 3, 4], "µJy")
    assert spectrum.flux == pytest.approx([1] * 4)
    assert spectrum.signal_to_noise == pytest.approx(10)
    # An extraction that failed leaves an empty file.
    (tmp_path / "empty.fits").touch()
    (tmp_path / "text.fits").write_text("text")
    for name in ("empty.fits", "text.fits", "gone.fits"):
        assert read_extracted(str(tmp_path / name)) is None
    assert read_extracted(write_extracted(tmp_path / "b.fits", "OTHER", **rows)) is None
