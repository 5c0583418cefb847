"""What simulated exposures say of themselves is true, as in flight."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from stdatamodels.jwst import datamodels

from exp_to_source.simulate.exposures import simulate
from exp_to_source.simulate.modes import MODES, Simulation

SHAPE = (12, 80)
PIXEL = 0.1  # arcsec


def slits(folder: Path, **options) -> Iterator[tuple[datamodels.SlitModel, dict]]:
    """Yield the slits of simulated exposures, each with the ``meta`` of its exposure."""
    options = {"shape": SHAPE, "sources": 2, **options}
    if options.get("mode") == "fixed-slit":
        options["fixed_slits"] = ("S1600A1",)
    for path in simulate(Simulation(**options), folder):
        with datamodels.open(path) as model:
            yield from ((slit, model.meta.instance) for slit in model.slits)


def locate_source(slit, wavelength: float) -> tuple[SkyCoord, tuple[float, float]]:
    """Return where the WCS has the source in the sky, and its pixel at a wavelength."""
    wcs, position = slit.meta.wcs, (slit.source_xpos, slit.source_ypos)
    if "slit_frame" in wcs.available_frames:
        sky = wcs.get_transform("slit_frame", "world")(*position, wavelength)
        pixel = wcs.get_transform("slit_frame", "detector")(*position, wavelength)
    else:
        order = slit.meta.wcsinfo.spectral_order
        sky = wcs.get_transform("detector", "world")(*position, wavelength, order)
        # A cut-out has one place in the sky: it has no range to be in.
        pixel = wcs.invert(*sky, with_bounding_box=False)
    return SkyCoord(*sky[:2], unit="deg"), pixel[:2]


@pytest.mark.parametrize("realistic", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_wcs_agrees_with_wavelengths_and_places(tmp_path, mode, realistic):
    """WAVELENGTH is the WCS evaluated; the source is in the sky where SRCRA and SRCDEC are."""
    for slit, _ in slits(
        tmp_path, mode=mode, sources=1, exposures=2 - realistic, realistic=realistic
    ):
        rows, columns = np.indices(slit.data.shape)
        wavelengths = slit.meta.wcs(columns, rows)[2]
        assert np.allclose(slit.wavelength, wavelengths, rtol=1e-6, equal_nan=True)
        middle = np.nanmedian(wavelengths)
        place, pixel = locate_source(slit, middle)
        assert slit.meta.wcs(*pixel)[2] == pytest.approx(middle)
        if mode != "fixed-slit":
            source = SkyCoord(slit.source_ra, slit.source_dec, unit="deg")
            assert source.separation(place).arcsec < 0.1 * PIXEL
            polygon = np.array(slit.meta.wcsinfo.s_region.split()[2:], float).reshape(4, 2)
            assert source.separation(SkyCoord(polygon, unit="deg")).deg.max() < (
                0.05 if mode.endswith("wfss") else 2 / 3600
            )


@pytest.mark.parametrize(
    ("options", "direction"),
    [
        ({"mode": "mos"}, 1),
        ({"mode": "nircam-wfss"}, 1),
        ({"mode": "nircam-wfss", "elements": {"pupil": "GRISMC"}}, 2),
        ({"mode": "niriss-wfss"}, 1),
        ({"mode": "niriss-wfss", "elements": {"filter": "GR150R"}}, 2),
        ({"mode": "miri-wfss"}, 2),
    ],
)
def test_direction_of_dispersion(tmp_path, options, direction):
    """DISPAXIS is that of the optical elements, and the images are dispersed along it."""
    for slit, meta in slits(tmp_path, exposures=1, **options):
        assert slit.meta.wcsinfo.dispersion_direction == direction
        along, across = (
            np.abs(np.diff(slit.wavelength, axis=axis)) for axis in (2 - direction, direction - 1)
        )
        assert along.min() > 0 and across.max() < 1e-5
        assert slit.data.shape[2 - direction] > 70
        get_direction = pytest.importorskip("jwst.lib.dispaxis").get_dispersion_direction
        element = meta["instrument"]
        pupil = element.get("pupil", "ANY")
        assert get_direction(meta["exposure"]["type"], "ANY", element["filter"], pupil) in (
            direction,
            # Of NIRSpec, the mode decides.
            None,
        )


def test_orders(tmp_path):
    """All orders have the band, negative ones reversed, and are of one source of one type."""
    options = {"mode": "niriss-wfss", "orders": (-1, 0, 1, 2), "sources": 3, "exposures": 1}
    types: dict[int, set[str]] = {}
    for slit, _ in slits(tmp_path, **options):
        row = slit.wavelength[0]
        order = slit.meta.wcsinfo.spectral_order
        assert (np.diff(row) * (order or 1) > 0).all()
        assert 0.169 < np.ptp(row) < 0.21
        assert slit.meta.bunit_data == slit.meta.bunit_err == "MJy/sr"
        types.setdefault(slit.source_id, set()).add(slit.source_type)
    assert types == {1: {"POINT"}, 2: {"EXTENDED"}, 3: {"POINT"}}


def test_shutters_follow_the_nod(tmp_path):
    """The source is in another shutter of its slitlet, at the same place in it."""
    found = [
        (slit.shutter_state, slit.ycen, slit.shutter_id, slit.slit_ymin, slit.source_ypos)
        for slit, _ in slits(tmp_path, sources=1, shape=(30, 20))
    ]
    states, rows, shutters, limits, positions = zip(*found, strict=True)
    assert states == ("1x1", "11x", "x11")
    assert np.subtract(rows, rows[0]).tolist() == [0, 1, -1]
    assert np.subtract(shutters, shutters[0]).tolist() == [0, 365, -365]
    assert np.subtract(limits, limits[0]) == pytest.approx([0, -1, 1])
    assert np.ptp(positions) < 0.01


def test_types_units_and_lamps(tmp_path):
    """Point sources of NIRSpec are flux densities; in MOS, the stellarity decides."""
    found = list(slits(tmp_path, sources=2, background=1, exposures=1))
    assert [(s.stellarity, s.source_type, s.meta.bunit_data) for s, _ in found] == [
        (0.8, "POINT", "MJy"),
        (0.2, "EXTENDED", "MJy/sr"),
        (0.0, "EXTENDED", "MJy/sr"),
    ]
    for slit, meta in found:
        for instrument in (meta["instrument"], slit.meta.instance["instrument"]):
            assert (instrument["lamp_state"], instrument["lamp_mode"]) == ("NONE", "MSASPEC")
