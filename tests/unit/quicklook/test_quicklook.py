"""Quick looks: what is in the picture."""

import hashlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from eras import write_legacy
from matplotlib import rc_context
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from exp_to_source.errors import InputError
from exp_to_source.formats.manifests import encode_manifest, read_manifest
from exp_to_source.quicklook import layout, picture
from exp_to_source.quicklook.axes import find_wavelength_ticks, format_ticks
from exp_to_source.quicklook.cutouts import Cutout, ProductCutouts, read_cutouts
from exp_to_source.quicklook.digests import read_picture_digest
from exp_to_source.quicklook.expected_rows import add_expected_rows
from exp_to_source.quicklook.layout import (
    have_same_axis,
    lay_out_panels,
    make_captions,
    measure_width,
    wrap_words,
)
from exp_to_source.quicklook.picture import (
    NAN_COLOUR,
    STYLE,
    UNUSABLE_COLOUR,
    colour_pixels,
    compute_norm,
    draw_figure,
    draw_quicklook,
)
from exp_to_source.quicklook.resampled import align_columns, read_aperture, read_resampled
from exp_to_source.quicklook.spectra import (
    Spectrum,
    combine_spectra,
    find_line,
    get_signal_to_noise,
    read_extracted,
    sum_cutout,
    sum_cutouts,
)
from exp_to_source.quicklook.stretch import compute_stretch
from exp_to_source.results import manifest_path, spectrum_digest_path
from exp_to_source.simulate.exposures import simulate
from exp_to_source.simulate.modes import MODES, Simulation

DO_NOT_USE, JUMP_DET = 1, 4
NAME = "jw10006-o010_s00061_nirspec_f170lp-g235m"


def write_product(
    path: Path,
    data: list[np.ndarray],
    dq: list[np.ndarray] | None = None,
    wavelength: list[np.ndarray] | None = None,
    **cards: Any,
) -> Path:
    """Write planes as a product has them; a slit's own cards may be lists, one item an entry."""
    hdus = [fits.PrimaryHDU()]
    hdus[0].header["INSTRUME"] = "NIRSPEC"
    for n, pixels in enumerate(data):
        header = fits.Header({"SOURCEID": 61, "SLTNAME": "3", "BUNIT": "MJy"})
        header.update({k: v[n] if isinstance(v, list) else v for k, v in cards.items()})
        hdus.append(fits.ImageHDU(pixels.astype("f4"), header, name="SCI", ver=n + 1))
        for name, planes in (("DQ", dq), ("WAVELENGTH", wavelength)):
            if planes is not None:
                hdus.append(fits.ImageHDU(planes[n], name=name, ver=n + 1))
    fits.HDUList(hdus).writeto(path)
    return path


def make_cutout(data: np.ndarray, **fields: Any) -> Cutout:
    defaults = {
        "number": 1, "exposure": "", "slit": "", "order": None, "unit": "MJy",
        "unusable": np.zeros(data.shape, bool), "wavelengths": None, "transposed": False,
        "error": np.full(data.shape, 1e-13, "f4"),
    }  # fmt: skip
    return Cutout(**defaults | {"data": data.astype("f4")} | fields)


def ramp(rows: int, columns: int, low: float = 1.0, high: float = 3.0) -> np.ndarray:
    return np.tile(np.linspace(low, high, columns, dtype="f4"), (rows, 1))


def read_texts(path: Path, exposures: list[str] | None = None) -> str:
    """Read all texts of a picture."""
    content = read_cutouts(str(path), exposures or [], layout.ROWS * layout.COLUMNS)
    with rc_context(STYLE):
        figure = draw_figure(NAME, content)
    titles = [axes.get_title(loc) for axes in figure.axes for loc in ("left", "right")]
    ticks = [label.get_text() for axes in figure.axes for label in axes.get_xticklabels()]
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    handles = [text.get_text() for legend in filter(None, legends) for text in legend.get_texts()]
    return "\n".join([*(text.get_text() for text in figure.texts), *titles, *ticks, *handles])


def test_planes_are_read(tmp_path: Path):
    dq = np.zeros((4, 6), "u4")
    dq[0, 0], dq[1, 1] = DO_NOT_USE | JUMP_DET, JUMP_DET
    wavelengths = ramp(4, 6)
    wavelengths[:, 0] = 0
    wavelengths[:2, 1] = np.nan
    path = write_product(
        tmp_path / "p.fits", [np.ones((4, 6))], [dq], [wavelengths],
        SRCNAME="10006_61", SPORDER=2, DISPAXIS=1,
    )  # fmt: skip
    content = read_cutouts(str(path), ["jw1_nrs1_cal"], 5)
    assert (content.source_id, content.source_name, content.total) == ("61", "10006_61", 1)
    (cutout,) = content.cutouts
    assert (cutout.exposure, cutout.order, cutout.unit) == ("jw1_nrs1_cal", 2, "MJy")
    assert cutout.unusable.sum() == 1
    assert cutout.unusable[0, 0]
    assert np.isnan(cutout.wavelengths[0])
    assert cutout.wavelengths[1:] == pytest.approx([1.4, 1.8, 2.2, 2.6, 3.0])


@pytest.mark.parametrize("dispaxis", [2, None])
def test_dispersion_along_columns_is_transposed(dispaxis: int | None, tmp_path: Path):
    data = np.arange(24.0).reshape(6, 4)
    cards = {"DISPAXIS": dispaxis} if dispaxis else {}
    path = write_product(tmp_path / "p.fits", [data], wavelength=[ramp(4, 6).T.copy()], **cards)
    (cutout,) = read_cutouts(str(path), [], 5).cutouts
    assert cutout.transposed
    assert cutout.data.tolist() == data.T.tolist()
    assert cutout.wavelengths == pytest.approx(np.linspace(1, 3, 6))
    assert "rows and columns exchanged" in make_captions([cutout])[0]


def test_bad_pixels_have_colours_of_their_own():
    data = np.array([[0.0, 1.0, 2.0, np.nan]])
    cutout = make_cutout(data, unusable=np.array([[False, True, False, True]]))
    image = colour_pixels(cutout, compute_norm([cutout]))[0]
    assert image[1] == pytest.approx(to_rgb(UNUSABLE_COLOUR))
    assert image[3] == pytest.approx(to_rgb(NAN_COLOUR))
    for grey in (image[0], image[2]):
        assert grey[0] == grey[1] == grey[2]


def test_one_stretch_for_all_from_usable_pixels():
    faint, bright = (make_cutout(np.linspace(low, low + 1, 100)[None]) for low in (0, 9))
    norm = compute_norm([faint, bright])
    assert norm.vmin < 0.1
    assert norm.vmax > 9.9
    hot = make_cutout(np.array([[1e9, np.nan, 1.0]]), unusable=np.array([[True, False, False]]))
    assert compute_norm([faint, hot]).vmax <= 1
    for nothing in (np.full((2, 2), np.nan), np.ones((2, 2))):
        norm = compute_norm([make_cutout(nothing)])
        assert norm.vmin < norm.vmax


def test_ticks_are_round_and_at_their_wavelengths():
    rising = np.linspace(1.66, 3.17, 400)
    ticks, pixels = find_wavelength_ticks(rising, 8)
    assert len(ticks) <= 9
    assert ticks == pytest.approx(np.round(ticks, 1))
    assert np.interp(pixels, np.arange(400), rising) == pytest.approx(ticks)
    falling = rising[::-1].copy()
    falling[:10] = falling[-10:] = np.nan
    ticks, pixels = find_wavelength_ticks(falling, 8)
    assert falling[np.round(pixels).astype(int)] == pytest.approx(ticks, abs=0.003)
    assert np.all(np.diff(pixels) < 0)
    for none in (np.full(5, np.nan), np.array([2.0]), np.full(5, 2.0)):
        assert find_wavelength_ticks(none, 8)[0].size == 0


def test_titles_are_never_cut(tmp_path: Path):
    name = "W" * 150
    path = write_product(tmp_path / "p.fits", [np.ones((3, 5))] * 13, SRCNAME=name, SLTNAME=name)
    text = read_texts(path, [f"{name}{n:02}_cal" for n in range(13)])
    assert "…" not in text
    assert text.replace("\n", "").count(name) == 1 + 2 * 13
    words = ["one", "two three", "x" * 300]
    lines = wrap_words(words, 120, 8)
    assert "".join(lines).replace(layout.SEPARATOR, "") == "".join(words)
    assert max(measure_width(line, 8) for line in lines) <= 120


@pytest.mark.parametrize("pixel", [1.0, np.nan])
@pytest.mark.parametrize("flag", [0, DO_NOT_USE])
def test_legends_name_the_colours_that_occur(pixel: float, flag: int, tmp_path: Path):
    data, dq = np.ones((4, 90)), np.zeros((4, 90), "u4")
    data[0, 0], dq[0, 0] = pixel, flag
    lines = read_texts(write_product(tmp_path / "p.fits", [data], [dq], [ramp(4, 90)])).splitlines()
    assert ("NaN" in lines) == np.isnan(pixel)
    assert ("DO_NOT_USE" in lines) == (flag > 0 and not np.isnan(pixel))
    assert "expected row of the source" not in lines
    assert "3.0 µm" in lines


def test_axes_that_agree_are_labelled_once():
    axis = np.linspace(1, 3, 50)
    one, same = (make_cutout(np.ones((5, 50)), wavelengths=axis + d) for d in (0, 0.001))
    other = make_cutout(np.ones((5, 50)), wavelengths=axis + 0.1)
    assert have_same_axis(one, same)
    assert not have_same_axis(one, other)
    assert not have_same_axis(one, one._replace(wavelengths=None))
    panels, _ = lay_out_panels([one, same, other])
    assert [panel.labelled for panel in panels] == [False, True, True]
    # The last of each column has labels, too.
    panels, _ = lay_out_panels([one] * 13)
    assert [n for n, panel in enumerate(panels) if panel.labelled] == [6, 12]


@pytest.mark.parametrize("count", [1, 2, 13, 36, 100])
def test_panels_do_not_overlap_and_stay_inside(count: int):
    shapes = [(3, 400), (500, 300), (30, 412)]
    panels, height = lay_out_panels(
        [make_cutout(np.ones(shapes[n % 3])) for n in range(count)][:36]
    )
    columns: dict[float, list[Any]] = {}
    for panel in panels:
        columns.setdefault(panel.left, []).append(panel)
        assert panel.left + panel.width <= layout.WIDTH
        assert panel.height >= layout.MIN_HEIGHT
    assert len(columns) <= layout.COLUMNS
    for column in columns.values():
        for above, below in pairwise(column):
            assert above.top + above.height + layout.CAPTION <= below.top
        assert column[-1].top + column[-1].height < height - layout.FOOT


def test_many_entries_are_counted(tmp_path: Path):
    names = [f"jw10006010001_03101_{n:05}_nrs1_cal" for n in range(1, 101)]
    path = write_product(tmp_path / "p.fits", [np.ones((3, 5))] * 100)
    text = read_texts(path, names)
    assert "64 more entries are not shown" in text
    assert "100 entries" in text
    assert "exposures jw10006010001" in text
    assert "36  03101_00036_nrs1  ·  slit 3" in text
    assert "00037" not in text


def test_anomalies_are_named(tmp_path: Path):
    planes = [np.full((3, 5), np.nan), np.ones((3, 5))]
    units = {"BUNIT": ["MJy", "MJy/sr"], "SPORDER": [1, 2], "SRCNAME": "a$b^{c"}
    text = read_texts(write_product(tmp_path / "p.fits", planes, **units), ["one_cal", "two_cal"])
    for words in (
        "all NaN",
        "no wavelengths",
        "MJy/sr",
        "order 2",
        "a$b^{c",
        "SCI, µJy",
        "SCI, MJy/sr",
    ):
        assert words in text
    assert "4 px" in text
    assert "1  one" in text


def test_same_input_gives_the_same_bytes(tmp_path: Path):
    path = write_product(
        tmp_path / f"{NAME}_cal.fits", [ramp(9, 90)] * 2, wavelength=[ramp(9, 90)] * 2
    )
    for n in range(2):
        draw_quicklook(str(path), str(tmp_path / f"{n}.png"))
    first, second = ((tmp_path / f"{n}.png").read_bytes() for n in range(2))
    assert first == second
    assert b"tEXt" not in first
    assert b"tIME" not in first
    assert imread(tmp_path / "0.png").shape[1] == layout.WIDTH
    assert read_picture_digest(str(tmp_path / "0.png")) == ""


def test_products_that_cannot_be_drawn(tmp_path: Path):
    fits.PrimaryHDU().writeto(tmp_path / "empty.fits")
    (tmp_path / "text.fits").write_text("text")
    for name, sentence in (
        ("empty", "has no SCI extension; expected a source-based product"),
        ("text", r"cannot be read as FITS \("),
    ):
        with pytest.raises(InputError, match=f"^{tmp_path}/{name}.fits: {sentence}"):
            draw_quicklook(f"{tmp_path}/{name}.fits", str(tmp_path / "x.png"))
    assert not list(tmp_path.glob("*.png"))


def test_spectrum_of_an_earlier_product_is_not_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    product = write_product(tmp_path / "p_cal.fits", [ramp(9, 90)], wavelength=[ramp(9, 90)])
    manifest = Path(manifest_path(str(tmp_path), "p"))
    manifest.parent.mkdir()
    manifest.write_bytes(encode_manifest("p", None, [("jw1_cal", "0")]))
    extracted = Spectrum(np.arange(1.0, 4), np.ones(3), np.ones(3), "µJy")
    monkeypatch.setattr(picture, "read_extracted", lambda _path: [extracted])
    drawn = []
    monkeypatch.setattr(picture, "draw_spectra", lambda *arguments: drawn.append(arguments[-1]))
    digest = Path(spectrum_digest_path(str(tmp_path), "p"))
    digest.parent.mkdir(parents=True)
    (digest.parents[1] / "p_x1d.fits").touch()
    output = str(tmp_path / "p.png")
    current, content = read_manifest(str(manifest)).digest, hashlib.sha256(b"").hexdigest()
    for text in (None, f"0123456789abcdef {content}", f"{current} 0", f"{current} {content}"):
        if text:
            digest.write_text(f"{text}\n")
        draw_quicklook(str(product), output, str(tmp_path))
        assert read_picture_digest(output) == current
    # Without a spectrum, and without errors to sum, there is no plot.
    assert drawn == [[extracted]]


def test_legacy_exposure(tmp_path: Path):
    content = read_cutouts(str(write_legacy(tmp_path)[0]), [], 9)
    assert content.total == 5
    assert [cutout.data.shape[0] for cutout in content.cutouts] == [6, 7, 6, 7, 6]
    assert "NIRSPEC" in content.setting


def test_rows_about_the_brightest_are_summed():
    data = np.zeros((20, 7))
    data[11:14] = 1e-12
    spectrum = sum_cutout(make_cutout(data))
    assert spectrum.unit == "µJy"
    assert spectrum.flux == pytest.approx(3)
    assert spectrum.error == pytest.approx(0.1 * 5**0.5)
    assert spectrum.signal_to_noise == pytest.approx(3 / 0.1 / 5**0.5)
    # Four entries of a source have twice its signal-to-noise ratio.
    (four,) = combine_spectra([spectrum] * 4)
    assert four.signal_to_noise == pytest.approx(2 * spectrum.signal_to_noise)


def test_unusable_pixels_are_made_up_for():
    data = np.full((5, 3), 1e-12)
    bad = np.zeros(data.shape, bool)
    bad[0, 1] = bad[:, 2] = True
    data[0, 1], data[2, 0] = 9, np.nan
    spectrum = sum_cutout(make_cutout(data, unusable=bad))
    assert spectrum.flux[:2] == pytest.approx([5, 5])
    assert np.isnan(spectrum.flux[2])
    assert spectrum.error[0] > 0.1 * 5**0.5
    assert sum_cutout(make_cutout(data, unusable=np.ones_like(bad))) is None
    assert sum_cutout(make_cutout(data, error=None)) is None


def test_surface_brightness_is_flux_where_the_area_of_pixels_is_known():
    data = np.full((5, 3), 2.0)
    error = np.ones((5, 3), "f4")
    known = sum_cutout(make_cutout(data, unit="MJy/sr", pixel_area=5e-13, error=error))
    assert (known.unit, *known.flux) == ("µJy", *[pytest.approx(5)] * 3)
    assert sum_cutout(make_cutout(data, unit="MJy/sr", error=error)).unit == "MJy/sr"
    assert sum_cutout(make_cutout(data, unit="DN/s", error=error)).unit == "DN/s"


def test_spectra_are_combined_by_order_and_unit():
    def spectrum(low: float, flux: float, error: float, order: int, unit: str = "µJy") -> Spectrum:
        axis = np.linspace(low, low + 1, 11)
        return Spectrum(axis, np.full(11, flux), np.full(11, error), unit, order)

    spectra = [spectrum(1, 1, 1, 1), spectrum(1.5, 3, 1 / 3**0.5, 1), spectrum(1, 9, 1, 2)]
    first, second, other = combine_spectra([*spectra, spectrum(1, 9, 1, 1, "MJy/sr")])
    assert [(s.order, s.unit) for s in (second, other)] == [(2, "µJy"), (1, "MJy/sr")]
    assert first.wavelengths == pytest.approx(np.linspace(1, 2.5, 16))
    values = [np.interp([1.2, 1.8, 2.3], first.wavelengths, v) for v in (first.flux, first.error)]
    assert np.array(values) == pytest.approx(np.array([[1, 2.5, 3], [1, 0.5, 3**-0.5]]))
    assert combine_spectra([]) == []


def test_gaps_of_the_longest_spectrum_are_filled_by_others():
    """Sources of several programs have the gap between detectors at other wavelengths."""
    whole = Spectrum(np.linspace(1, 2, 101), np.ones(101), np.ones(101), "µJy")
    parts = [whole._replace(wavelengths=whole.wavelengths[part], flux=whole.flux[part],
                            error=whole.error[part])
             for part in (slice(40), slice(60, 101), slice(20, 60), slice(60, 80))]  # fmt: skip
    (spectrum,) = combine_spectra(parts)
    assert spectrum.wavelengths == pytest.approx(whole.wavelengths)
    assert spectrum.error[[0, 30, 50, 70]] == pytest.approx([1, 0.5**0.5, 1, 0.5**0.5])


def test_what_is_not_known_has_no_number(tmp_path: Path):
    planes = [np.ones((5, 30)), np.ones((5, 30))]
    planes[0][2, 3] = np.inf
    path = write_product(tmp_path / "p.fits", planes, wavelength=[ramp(5, 30), 0 * ramp(5, 30)])
    one, other = read_cutouts(str(path), [], 2).cutouts
    assert np.isnan(one.data[2, 3]) and np.isfinite(one.data).sum() == one.data.size - 1
    assert other.wavelengths is None
    one, other = (c._replace(error=np.ones((5, 30), "f4")) for c in (one, other))
    # Columns are no wavelengths.
    (spectrum,) = sum_cutouts([one, other])
    assert (spectrum.wavelengths[0], spectrum.wavelengths[-1]) == (1, 3)
    assert sum_cutouts([other])[0].wavelengths[-1] == 30
    nothing = spectrum._replace(flux=np.full(30, np.nan))
    assert get_signal_to_noise([nothing]) is None
    assert find_line(spectrum._replace(flux=np.zeros(30))) is None


@pytest.mark.parametrize("mode", MODES)
def test_source_is_in_the_expected_row(mode: str, tmp_path: Path):
    options = {"exposures": 2, "sources": 2, "shape": (30, 40), "fixed_slits": ("S200A1",)}
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
        assert mode.endswith("wfss") or nods == {f"{path.name[21:25].lstrip('0')} of 2"}


@pytest.mark.parametrize("error", ["FLUX_ERROR", "ERROR"])
def test_extracted_spectra_are_read(error: str, tmp_path: Path):
    columns = [("WAVELENGTH", [1, 2, 3, 4, np.nan]), ("FLUX", [1e-6] * 5), (error, [1e-7] * 5)]
    table = [fits.Column(name, "5D", array=[values], unit="Jy") for name, values in columns]
    for name in ("EXTRACT1D", "OTHER"):
        hdu = fits.BinTableHDU.from_columns(table, name=name)
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / f"{name}.fits")
    (spectrum,) = read_extracted(str(tmp_path / "EXTRACT1D.fits"))
    assert (spectrum.wavelengths.tolist(), spectrum.unit) == ([1, 2, 3, 4], "µJy")
    assert spectrum.flux == pytest.approx([1] * 4)
    assert spectrum.signal_to_noise == pytest.approx(10)
    # An extraction that failed leaves an empty file.
    (tmp_path / "empty.fits").touch()
    (tmp_path / "text.fits").write_text("text")
    for name in ("empty.fits", "text.fits", "gone.fits", "OTHER.fits"):
        assert read_extracted(str(tmp_path / name)) == []


def test_digits_of_ticks_are_even():
    assert format_ticks([2, 2.25, 2.5]) == ["2.00", "2.25", "2.50"]
    assert format_ticks([-100, 0, 100]) == ["-100", "0", "100"]
    assert format_ticks([1e-13, 2e-13]) == ["1e-13", "2e-13"]
    assert format_ticks([]) == []


def test_each_unit_has_a_plot():
    cutouts = [
        make_cutout(np.ones((9, 50)), unit=unit, order=order, wavelengths=np.linspace(1, 2, 50))
        for unit, order in (("MJy", 1), ("DN/s", 2))
    ]
    figure = draw_figure(NAME, ProductCutouts("61", "", "", None, 2, cutouts, b""))
    lower, upper = (axes for axes in figure.axes if axes.get_legend())
    labels = [
        [text.get_text() for text in axes.get_legend().get_texts()] for axes in (upper, lower)
    ]
    assert labels == [
        [f"sum of 5 rows along the trace, {unit}, order {order}"]
        for unit, order in (("µJy", 1), ("DN/s", 2))
    ]
    assert lower.get_position().y1 < upper.get_position().y0


def test_stretch_shows_negative_values():
    plane = np.random.default_rng(0).normal(size=(20, 500))
    plane[3], plane[10] = plane[3] - 20, plane[10] + 60
    norm = compute_stretch([plane])
    black, grey, white = norm(np.array([-20.0, 0.0, 60.0]))
    assert black < 0.1 and 0.3 < grey < 0.7 and white > 0.95


def test_columns_are_aligned_by_wavelength():
    wavelengths = np.array([3.0, 2.5, 2.0, 1.5, 1.0, np.nan])
    unusable = np.zeros((2, 6), bool)
    unusable[1, 0] = True
    data = np.tile([30.0, 25, 20, 15, 10, 99], (2, 1))
    cutout = make_cutout(data, unusable=unusable, wavelengths=wavelengths)
    wide = align_columns(cutout, 0.75, 3.25, 5)
    assert wide[0].tolist() == [10, 15, 20, 25, 30]
    assert np.isnan(wide[1, 4])
    assert align_columns(cutout, 0.75, 2.75, 2)[0].tolist() == [12.5, 22.5]
    fine = align_columns(cutout, 0, 3.25, 130)[0]
    assert np.isnan(fine[0]) and fine[40] == 10 and fine[-1] == 30


def test_aperture_is_that_of_the_extracted_spectrum(tmp_path: Path):
    """EXTRYSTR and EXTRYSTP are pixels from one, both inside."""
    path = str(tmp_path / "p_x1d.fits")
    table = fits.BinTableHDU(name="EXTRACT1D")
    table.header.update(EXTRYSTR=3, EXTRYSTP=5, EXTRXSTR=1, EXTRXSTP=400)
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    assert read_aperture(path) == (1.5, 4.5)
    assert read_aperture(path, transposed=True) == (-0.5, 399.5)
    assert read_aperture(str(tmp_path / "none.fits")) is None
    assert read_resampled(str(tmp_path), "p") is None
