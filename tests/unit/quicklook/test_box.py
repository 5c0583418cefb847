"""Sums along a trace against simulated truth: flux, signal-to-noise ratio, lines."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from exp_to_source.quicklook.box import HEIGHT, place_trace, sum_along_trace
from exp_to_source.quicklook.cutouts import Cutout, read_cutouts
from exp_to_source.quicklook.expected_rows import add_expected_rows
from exp_to_source.quicklook.spectra import (
    Spectrum,
    combine_spectra,
    compare_apertures,
    compute_flux_limits,
    find_line,
    sum_cutout,
)
from exp_to_source.simulate.exposures import simulate as simulate_exposures
from exp_to_source.simulate.images import simulate_source
from exp_to_source.simulate.modes import MODES, Simulation

ROWS, COLUMNS, LINE_COLUMN = 30, 400, 230
#: Variance of the sky and of reading a pixel in µJy², and electrons for a µJy, as `simulate` has.
NOISE, ELECTRONS = 3.4e-4, 600.0
WAVELENGTHS = np.linspace(1.6, 3.1, COLUMNS)


class Truth(NamedTuple):
    """A cut-out, and what a box along its trace has of it."""

    cutout: Cutout
    flux: np.ndarray  #: in µJy, without noise, as `error`
    error: np.ndarray


def simulate(
    rng: np.random.Generator,
    tilt: float = 0.0,
    sag: float = 0.0,
    bad: float = 0.0,
    continuum: float = 3.0,
    line: float = 0.0,
    nods: float = 0.0,
    offset: float = 0.0,
) -> Truth:
    """Simulate a trace that crosses `tilt` rows and sags; `offset` is the error of its WCS."""
    x, rows = np.linspace(-1, 1, COLUMNS), np.arange(ROWS)[:, np.newaxis]
    trace = 14.2 + tilt / 2 * x + sag * (x**2 - 1 / 3)
    peak = np.exp(-0.5 * ((np.arange(COLUMNS) - LINE_COLUMN) / 1.3) ** 2)
    spectrum = continuum * (1 + 0.5 * x) + line * peak

    def spread(center: np.ndarray) -> np.ndarray:
        edges = np.arange(ROWS + 1)[:, np.newaxis] - 0.5 - center
        return np.diff(np.vectorize(math.erf)(edges / 1.1 / math.sqrt(2)), axis=0) / 2 * spectrum

    signal = spread(trace) - nods * (spread(trace - 8) + spread(trace + 8))
    error = np.sqrt(np.abs(signal) / ELECTRONS + NOISE)
    data = signal + error * rng.standard_normal(error.shape)
    unusable = rng.random(error.shape) < bad
    data[unusable] = 100.0
    weights = np.clip(HEIGHT / 2 + 0.5 - np.abs(rows - trace), 0, 1)
    cutout = Cutout(
        number=1, exposure="", slit="", order=1, unit="MJy", data=1e-12 * data, unusable=unusable,
        wavelengths=WAVELENGTHS, transposed=False, error=1e-12 * error, trace=trace + offset,
        expected_row=14.2,
    )  # fmt: skip
    # Of the signal-to-noise ratio, bad pixels take a part.
    seen = weights * ~unusable
    noise = np.sqrt((seen**2 * error**2).sum(axis=0))
    flux = (weights * signal).sum(axis=0)
    return Truth(cutout, flux, noise * flux / (seen * signal).sum(axis=0))


@pytest.mark.parametrize("bad", [0, 0.1])
@pytest.mark.parametrize(
    "case",
    [
        {},
        {"tilt": 4.0},
        {"tilt": 10.0},
        {"tilt": -3.0, "sag": 8.0},
        {"tilt": 10.0, "offset": 1.6},
        {"tilt": 10.0, "nods": 0.5},
        {"tilt": 10.0, "continuum": 0.3, "offset": -0.7},
    ],
    ids=str,
)
def test_flux_and_signal_to_noise_are_true(case: dict[str, float], bad: float):
    truth = simulate(np.random.default_rng(24), bad=bad, **case)
    spectrum = sum_cutout(truth.cutout)
    valid = np.isfinite(spectrum.flux)
    assert valid.mean() > 0.99
    assert spectrum.flux[valid].sum() == pytest.approx(truth.flux[valid].sum(), rel=0.03)
    ratio = np.median((truth.flux / truth.error)[valid])
    assert spectrum.signal_to_noise == pytest.approx(ratio, rel=0.03)
    deviations = ((spectrum.flux - truth.flux) / spectrum.error)[valid]
    assert np.mean(deviations**2) == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("mode", MODES)
def test_realistic_exposures_are_summed(mode: str, tmp_path: Path):
    """The flux is along the trace of the WCS; where it was in the other nod, it is negative."""
    band, id_ = MODES[mode].waverange, MODES[mode].first_id
    seed = max(range(20), key=lambda seed: simulate_source(seed, id_, band).flux)
    simulation = Simulation(
        mode=mode, realistic=True, exposures=2, sources=1, seed=seed,
        fixed_slits=("S200A1",) if mode == "fixed-slit" else (),
        orders=(1, 2) if mode == "nircam-wfss" else (1,),
    )  # fmt: skip
    *_, path = simulate_exposures(simulation, tmp_path)
    content = read_cutouts(str(path), [], 9)
    # An exposure has what the tree of a product has, but under another name.
    tree = content.tree.replace(b"\nslits:", b"\nexposures:")
    cutouts = add_expected_rows(content._replace(tree=tree)).cutouts
    spectra = combine_spectra(map(sum_cutout, cutouts))
    assert len(spectra) == len(simulation.orders)
    source = simulate_source(seed, id_, band)
    within = math.erf(HEIGHT / 2 / source.size / 2**0.5)
    for spectrum in spectra:
        usable = np.isfinite(spectrum.flux)
        step = np.median(np.diff(spectrum.wavelengths))
        truth = within * source.spectrum(spectrum.wavelengths, step)
        assert np.median((spectrum.flux / truth)[usable]) == pytest.approx(1, abs=0.03)
    cutout = cutouts[0]
    # A straight row would not do, but for the short spectra of NIRISS.
    assert np.ptp(cutout.trace) > min(4, cutout.data.shape[1] / 60)
    if not mode.endswith("wfss"):
        data = np.where(cutout.unusable, np.nan, cutout.data)
        flux, negative = (
            sum_along_trace(data, cutout.error**2, cutout.trace - offset)[0] for offset in (0, 5)
        )
        assert np.nanmedian(negative / flux) == pytest.approx(-0.5, abs=0.03)


def test_bad_pixels_are_made_up_for_by_the_profile():
    truth = simulate(np.random.default_rng(1), tilt=6.0, continuum=300.0, bad=0.1)
    spectrum = sum_cutout(truth.cutout)
    # Five over the number of good pixels has 17 %.
    assert np.nanstd(spectrum.flux / truth.flux) < 0.02


@pytest.mark.parametrize("continuum", [1e-6, 0.3])
def test_lines_are_found_whole(continuum: float):
    rng = np.random.default_rng(7)
    truths = [simulate(rng, 6.0, bad=0.05, continuum=continuum, line=2.0) for _ in range(4)]
    (spectrum,) = combine_spectra(sum_cutout(truth.cutout) for truth in truths)
    line = find_line(spectrum)
    assert line.wavelength == pytest.approx(WAVELENGTHS[LINE_COLUMN], abs=0.005)
    pixels = slice(LINE_COLUMN - 1, LINE_COLUMN + 2)
    weight = sum(truth.error[pixels] ** -2 for truth in truths)
    level = np.median(truths[0].flux)
    signal = (truths[0].flux[pixels] - level).sum() / np.sqrt((1 / weight).sum())
    assert line.signal_to_noise == pytest.approx(signal, rel=0.06)
    spectrum.flux[50] += 2
    assert find_line(spectrum) == line
    # Without a line, it is the highest peak of the noise.
    noise = simulate(rng, 6.0, continuum=0.3)
    assert find_line(sum_cutout(noise.cutout)).signal_to_noise < 5
    steep = np.linspace(100, 10, COLUMNS) + rng.standard_normal(COLUMNS)
    assert find_line(Spectrum(WAVELENGTHS, steep, np.ones(COLUMNS), "µJy")).signal_to_noise < 5
    assert find_line(Spectrum(WAVELENGTHS[:9], np.ones(9), np.ones(9), "µJy")) is None


@pytest.mark.parametrize("columns", [40, 400])
def test_axis_of_flux_has_lines_and_no_bad_pixels(columns: int):
    rng = np.random.default_rng(5)
    x = np.arange(columns)
    flux = 1 + 0.1 * rng.standard_normal(columns)
    flux += 9 * np.exp(-0.5 * ((x - 20.4) / 0.9) ** 2)
    flux[10:13] -= [2, 3, 2]
    spectrum = Spectrum(1 + x / columns, flux, np.full(columns, 0.1), "µJy")
    low, high = compute_flux_limits(spectrum)
    assert (low, high) == (flux.min(), flux.max())
    bad = spectrum._replace(flux=flux.copy(), error=spectrum.error.copy())
    bad.flux[[3, 30]] = 1e6, -1e6
    # Noisy channels at the edge.
    bad.flux[-3:], bad.error[-3:] = [-80, 150, 90], 50
    bad.flux[5] = np.nan
    assert compute_flux_limits(bad) == (low, high)
    without = bad._replace(error=np.full(columns, np.nan))
    assert compute_flux_limits(without)[1] < 200
    noise = spectrum._replace(flux=rng.standard_normal(columns), error=np.ones(columns))
    assert 3 < np.ptp(compute_flux_limits(noise)) < 8
    assert compute_flux_limits(noise._replace(flux=noise.flux * np.nan)) == (0, 0)


@pytest.mark.parametrize("center", [50.0, 50.3, 50.5, 50.8])
@pytest.mark.parametrize("width", [0.9, 1.3, 2.5])
def test_lines_have_wavelengths_between_pixels(center: float, width: float):
    x = np.arange(100.0)
    flux = 3 + 0.01 * x + 10 * np.exp(-0.5 * ((x - center) / width) ** 2)
    assert find_line(Spectrum(x, flux, np.ones(100), "µJy")).wavelength == pytest.approx(
        center, abs=0.1
    )


def test_tilted_lines_of_nods_have_one_wavelength():
    """Nods of five rows move a line by half a column, as in flight; the sum has it in its place."""
    rows, columns = np.indices((ROWS, 100), float)
    place = columns + 0.12 * (rows - 14)
    cutouts = []
    for row in (9.0, 14.0, 19.3):
        profile = np.exp(-0.5 * ((rows - row) / 0.9) ** 2)
        data = profile * (1 + 9 * np.exp(-0.5 * ((place - 50.3) / 1.3) ** 2))
        cutout = Cutout(
            number=1, exposure="", slit="", order=1, unit="µJy", data=data, unusable=data < 0,
            wavelengths=np.median(place, axis=0), transposed=False, error=np.full_like(data, 0.01),
            trace=np.full(100, row), expected_row=row, wavelength_plane=place,
        )  # fmt: skip
        cutouts.append(cutout)
    (spectrum,) = combine_spectra(map(sum_cutout, cutouts))
    assert find_line(spectrum).wavelength == pytest.approx(50.3, abs=0.1)
    assert spectrum.flux.max() > 0.95 * sum_cutout(cutouts[1]).flux.max()


def test_noise_is_no_source():
    rng = np.random.default_rng(3)
    ratios = []
    for _ in range(10):
        cutout = simulate(rng, 4.0, continuum=1e-9).cutout
        assert place_trace(cutout.data, cutout.error**2, cutout.trace) is cutout.trace
        ratios.append(sum_cutout(cutout).signal_to_noise)
    assert abs(np.mean(ratios)) < 0.1


def test_trace_that_leaves_its_cutout():
    data, trace = np.ones((6, 4)), np.array([3.0, 0.0, -1.0, -4.0])
    flux, error = sum_along_trace(data, data, trace)
    # Three rows of five, two of five, none: like unusable pixels.
    assert flux[:3] == pytest.approx([5, 5, 5])
    assert error[:3] == pytest.approx(5 / np.array([5, 3, 2]) ** 0.5)
    assert np.isnan(flux[3])


def test_apertures_are_compared():
    axis = np.linspace(1, 2, 100)
    low, high = (Spectrum(axis, np.full(100, f), np.full(100, 0.1), "µJy", 1) for f in (3.0, 4.0))
    remark = "x1d has 1.3 times the sum of 5 rows{}: other aperture"
    assert compare_apertures([low], [high._replace(order=0)]) == remark.format("")
    second = [s._replace(order=2) for s in (high, low)]
    assert compare_apertures([low, second[0]], [high, second[0]]) == remark.format(" in order 1")
    # Neither differences within the noise, nor other units or wavelengths.
    for other in (
        low._replace(flux=low.flux + 0.1), high._replace(error=high.error * 20),
        high._replace(unit="MJy/sr"), high._replace(wavelengths=axis + 3),
    ):  # fmt: skip
        assert compare_apertures([low], [other]) == ""
