"""What the report has of each source: measurements, images, spectrum; and of exposures."""

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from exp_to_source.formats.manifests import digest_manifest
from exp_to_source.quicklook.spectra import Spectrum, compute_flux_limits
from exp_to_source.report.exposures import ExposureSummary, read_header, summarize_observation
from exp_to_source.report.images import downsample, encode_png
from exp_to_source.report.measure import (
    decode,
    encode,
    measure_product,
    measure_products,
    read_measurements,
    rebin,
)
from exp_to_source.report.views import choose_images
from exp_to_source.results import manifest_path


def write_product(path: Path, entries: int = 2) -> Path:
    """Write a product with a source of one µJy, and errors of a tenth of that in five rows."""
    hdus = [fits.PrimaryHDU()]
    for number in range(1, entries + 1):
        cards = {"SOURCEID": 1, "BUNIT": "MJy", "SRCRA": 10.5, "SRCDEC": -3.25, "SPORDER": 1}
        data = np.zeros((20, 50), "f4")
        data[9] = 1e-12
        data[0, 0] = np.nan
        dq = np.zeros(data.shape, "u4")
        dq[1, :9] = 1
        planes = {"SCI": data, "DQ": dq, "ERR": np.full_like(data, 1e-13 / 5**0.5)}
        planes["WAVELENGTH"] = np.tile(np.linspace(1, 2, 50, dtype="f4"), (20, 1))
        for name, plane in planes.items():
            header = fits.Header(cards if name == "SCI" else {})
            hdus.append(fits.ImageHDU(plane, header, name=name, ver=number))
    fits.HDUList(hdus).writeto(path)
    return path


def test_products_are_measured(tmp_path: Path):
    write_product(tmp_path / "p_cal.fits", entries=4)
    (tmp_path / "empty_cal.fits").touch()
    (tmp_path / "manifests").mkdir()
    for name in ("p", "empty"):
        Path(manifest_path(str(tmp_path), name)).write_text(name)
    digests = {
        n: digest_manifest(Path(manifest_path(str(tmp_path), n)).read_bytes())
        for n in ("p", "empty")
    }
    output = tmp_path / "measured.jsonl"
    products = [str(tmp_path / f"{name}_cal.fits") for name in digests]
    measure_products(products, str(tmp_path), str(output), 3, 20)
    first, empty = map(json.loads, output.read_text().splitlines())
    assert empty == {"product": "empty", "digest": digests["empty"]}
    assert (first["product"], first["digest"]) == ("p", digests["p"])
    # Ten in each of four entries.
    assert first["snr"] == pytest.approx(20, abs=0.1)
    assert first["usable"] == pytest.approx(99.0)
    assert first["entries"] == [["MJy", 20, 50, 1]] * 4
    assert len(first["images"]) == 3
    image = np.array(
        Image.open(io.BytesIO(base64.b64decode(first["images"][0]["png"]))).convert("L")
    )
    assert image.shape == (20, 20)
    # Pixels that are not usable are transparent.
    assert image[-2, 0] == 0 < image[-2, -1]
    assert first["images"][0]["range"] == [1, 2] and first["images"][0]["rows"] == []
    # The first row of the file is the lowest.
    assert int(np.argmax(image.astype(int).sum(axis=1))) == 20 - 1 - 9
    spectrum = decode(first["sums"][0])
    assert spectrum.unit == "µJy"
    assert spectrum.flux == pytest.approx(1, abs=1e-3)
    assert spectrum.error == pytest.approx(0.05, abs=1e-3)
    before = output.read_bytes()
    measure_products(products, str(tmp_path), str(output), 3, 20)
    assert output.read_bytes() == before
    assert read_measurements([str(output)], digests) == {"p": first, "empty": empty}
    earlier = {"p": digests["empty"], "empty": digests["empty"]}
    assert read_measurements([str(output)], earlier) == {"empty": empty}
    assert read_measurements([], digests) == {}


def test_a_line_without_wavelengths_has_no_place(tmp_path: Path):
    path = write_product(tmp_path / "p_cal.fits")
    with fits.open(path, mode="update") as hdus:
        for hdu in hdus:
            if hdu.name == "WAVELENGTH":
                hdu.data[:] = 0
            elif hdu.name == "SCI":
                hdu.data[9, 20:23] *= 9
    measurement = measure_product(str(path), 1, 20)
    assert measurement["line_snr"] > 9
    assert measurement["line_wavelength"] is None


def test_images_are_png():
    for shape in ((1, 1), (3, 5), (32, 200)):
        levels = np.arange(np.prod(shape)).reshape(shape).astype("u1") % 16
        image = np.array(Image.open(io.BytesIO(encode_png(levels))).convert("L")) // 17
        assert image.tolist() == levels.tolist()


def test_images_are_averages_of_usable_pixels():
    plane = np.ones((64, 10))
    plane[0, 0], plane[:2, 1] = 5, np.nan
    small = downsample(plane, 10)
    assert small.shape == (32, 10)
    assert small[0, 0] == 3
    assert np.isnan(small[0, 1])
    assert small[1:] == pytest.approx(1)


def test_spectra_are_encoded_in_few_bytes():
    wavelengths = np.linspace(1, 5, 1000)
    flux = np.where(wavelengths < 3, 2.0, np.nan)
    spectrum = Spectrum(wavelengths, flux, np.full(1000, 0.1), "Jy")
    small = encode(spectrum, 100)
    assert len(small["flux"]) < 280
    decoded = decode(small)
    assert (decoded.wavelengths[0], decoded.wavelengths[-1], decoded.unit) == (1, 5, "Jy")
    assert decoded.flux[:48] == pytest.approx(2, abs=1e-3)
    assert np.isnan(decoded.flux[52:]).all()
    assert decoded.error[5] == pytest.approx(0.1 / 10**0.5, rel=0.1)
    assert rebin(spectrum, 5000) is spectrum
    assert encode(None, 10) is None
    assert encode(spectrum._replace(flux=np.full(1000, np.nan)), 10) is None


def test_bad_pixels_coarsen_no_other():
    flux = 1 + 0.1 * np.random.default_rng(0).standard_normal(1000)
    flux[500:503] = [6, 8, 6]
    spectrum = Spectrum(np.linspace(1, 5, 1000), flux, np.full(1000, 0.1), "µJy")
    limits = compute_flux_limits(spectrum)
    spectrum.flux[100] = 1e9
    encoded = encode(spectrum, 300)
    decoded = decode(encoded)
    assert decoded.flux[60:150] == pytest.approx(1, abs=0.3)
    # A line in one bin is not taken for a bad pixel.
    for known in (encoded, encode(decoded, 300)):
        assert known["limits"] == pytest.approx(limits, rel=1e-3)


def test_spectra_of_a_prism_have_no_gaps():
    wavelengths = 0.6 + 4.7 * np.linspace(0, 1, 100) ** 2
    flux = np.where(wavelengths < 3, wavelengths, np.nan)
    spectrum = rebin(Spectrum(wavelengths, flux, np.ones(100), "µJy"), 400)
    known = spectrum.wavelengths < 2.9
    assert spectrum.flux[known] == pytest.approx(spectrum.wavelengths[known], abs=0.05)
    assert np.isfinite(spectrum.error[known]).all()
    assert np.isnan(spectrum.flux[spectrum.wavelengths > 3.1]).all()


@pytest.mark.parametrize(("size", "count"), [(50, 3), (25, 1), (5, 0)])
def test_images_have_a_budget(size: int, count: int, monkeypatch: pytest.MonkeyPatch):
    images = [[{"png": "a" * 10}] * count for count in (3, 2, 0)]
    monkeypatch.setattr("exp_to_source.report.views.MAX_IMAGES", size)
    assert choose_images(images) == [row[:count] for row in images]


def test_head_of_the_page_is_of_all_exposures(tmp_path: Path):
    assert read_header(str(tmp_path / "gone.fits")) == {}
    cards = {
        "PROGRAM": "01345", "TITLE": "A survey", "TARGPROP": "M 1", "INSTRUME": "NIRSPEC",
        "FILTER": "CLEAR", "GRATING": "PRISM", "PUPIL": "N/A", "DETECTOR": "NRS1", "PATT_NUM": 2,
        "NUMDTHPT": 3, "DATE-BEG": "2023-02-25T10:20:30.0", "DATE-END": "2023-02-25T11:00:00.0",
    }  # fmt: skip
    path = tmp_path / "a_cal.fits"
    fits.PrimaryHDU(header=fits.Header(cards)).writeto(path)
    exposure = ExposureSummary("a", "", **read_header(str(path)))
    assert (exposure.program, exposure.nod, exposure.elements, exposure.detector) == (
        *("1345: A survey", "2 of 3", "CLEAR PRISM", "NRS1"),
    )
    later = exposure._replace(target="M 2", begin="2023-02-26 01:00", end="2023-02-26 02:00")
    empty = ExposureSummary("b", "")
    assert summarize_observation([exposure, empty, later]) == {
        "program": "1345: A survey", "target": "M 1, M 2", "instrument": "NIRSPEC",
        "elements": "CLEAR PRISM", "observed": "2023-02-25 10:20 to 2023-02-26 02:00 UTC",
    }  # fmt: skip
    assert summarize_observation([exposure])["observed"] == "2023-02-25 10:20 to 11:00 UTC"
    assert summarize_observation([empty]) == {}
