"""Images of simulated slits: the trace of an artificial source in the noise of a detector."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import binary_dilation
from scipy.special import erf
from stdatamodels.jwst.datamodels.dqflags import pixel as flags

from .wcs import Evaluation

#: A detector in an exposure of some 800 s: electrons from a source of one µJy in each column,
#: electrons of the sky in each pixel, which is subtracted, and of noise in reading one.
ELECTRONS, SKY, READ_NOISE = 600.0, 40.0, 9.0
#: Relative error of the flat field; fractions of the pixels without a value and with a cosmic ray.
FLAT_ERROR, BAD, JUMPS = 0.003, 0.006, 0.02
#: Of realistic images: the fraction of the sky that is left after subtraction; fractions of the
#: pixels that begin a cluster of outliers, and one without flat field; pixels from the source to
#: the spectrum of a shutter that does not close.
SKY_LEFT, OUTLIERS, BLOBS, STRIPE = 0.005, 0.004, 0.0005, 4

#: Rest wavelengths (µm) of lines, and their strengths relative to the strongest.
LINES = (
    *((0.3728, 0.5), (0.4341, 0.15), (0.4861, 0.35), (0.4959, 0.33), (0.5007, 1.0)),
    *((0.6563, 0.9), (0.6583, 0.2), (0.6724, 0.2), (0.9532, 0.4), (1.083, 0.4), (1.8756, 0.4)),
)

#: Flux densities (µJy) of the faintest and the brightest source, at the middle of the band.
FAINTEST, BRIGHTEST = 0.1, 20.0

#: Standard deviation of lines, in pixels.
LINE_WIDTH = 1.3

#: Half the width of the field, in degrees.
RADIUS = 0.025


class SimulatedSource(NamedTuple):
    """A source."""

    flux: float  #: density at the middle of the band, in µJy
    middle: float  #: wavelength of the middle of the band, in µm
    slope: float  #: power of the wavelength that the continuum follows
    redshift: float
    lines: float  #: height of the strongest line above the continuum, in µJy
    size: float  #: standard deviation of the profile of a point source, in pixels
    ra: float  #: offset from the center of the field, in degrees on the sky, as `dec`
    dec: float

    def spectrum(self, wavelengths: np.ndarray, step: float | None = None) -> np.ndarray:
        """Return the flux density (µJy) at wavelengths (µm), of pixels of a width (µm).

        Without a width, the wavelengths are those of a row of pixels.
        """
        if step is None:
            step = (wavelengths[-1] - wavelengths[0]) / max(len(wavelengths) - 1, 1)
        flux: np.ndarray = self.flux * (wavelengths / self.middle) ** self.slope
        for rest, strength in LINES:
            offset = (wavelengths - rest * (1 + self.redshift)) / (LINE_WIDTH * step or 1)
            flux = flux + self.lines * strength * np.exp(-0.5 * offset**2)
        return flux


def simulate_source(seed: int, source_id: int, waverange: tuple[float, float]) -> SimulatedSource:
    """Return a source with a line in the band; it depends on the arguments alone."""
    rng = np.random.default_rng([seed, abs(source_id), *b"source"])
    low, high = waverange
    # The strongest line that a redshift between 0 and 10 brings anywhere into the band.
    seen = low + (high - low) * rng.uniform(0.15, 0.85)
    rest = 0.5007 if seen < 0.5007 * 11 and rng.random() < 0.5 else 0.6563
    flux = FAINTEST * (BRIGHTEST / FAINTEST) ** rng.random()
    return SimulatedSource(
        flux=flux,
        middle=(low + high) / 2,
        slope=rng.uniform(-2, 1.5),
        redshift=seen / rest - 1,
        # One in five has none. Those of faint sources stand out of the noise nevertheless.
        lines=0.0 if rng.random() < 0.2 else (flux + 1) * rng.uniform(0.7, 3),
        size=rng.uniform(0.9, 1.3),
        ra=rng.uniform(-RADIUS, RADIUS),
        dec=rng.uniform(-RADIUS, RADIUS),
    )


class Trace(NamedTuple):
    """How a source appears in a cut-out."""

    source: SimulatedSource
    width: float  #: standard deviation of the profile, in pixels
    step: float  #: width of a pixel, in µm

    def illuminate(self, evaluation: Evaluation, nod: float = 0.0) -> np.ndarray:
        """Return the light in each pixel, in µJy, of the source that is nodded by pixels."""
        sigma = self.width * np.sqrt(2)
        low, high = ((evaluation.offsets - nod + side) / sigma for side in (-0.5, 0.5))
        spectrum = self.source.spectrum(evaluation.wavelengths, self.step)
        light: np.ndarray = (erf(high) - erf(low)) / 2 * spectrum
        return light


class Look(NamedTuple):
    """What images of flight have besides a source and noise."""

    #: Pixels from the source to where it was in the exposures that are subtracted.
    nods: tuple[float, ...] = ()
    #: Fraction of a uniform light that the bars between shutters let through; none without them.
    bars: np.ndarray | None = None
    is_divided_by_bars: bool = False
    #: Number of the columns behind the edge of the detector; negative for the first ones.
    missing: int = 0


def simulate_images(
    rng: np.random.Generator,
    evaluation: Evaluation,
    trace: Trace | None,
    unit: float,
    sensitivity: float = 1.0,
    look: Look | None = None,
) -> dict[str, np.ndarray]:
    """Return all images that a slit may have, uint32 for ``dq``, else float32.

    Without a trace they are noise. `unit` is one µJy in the unit of the values, `sensitivity` the
    fraction of the light that falls in the spectral order.
    """
    shape = evaluation.wavelengths.shape
    noise = rng.standard_normal(shape, dtype=np.float32)
    chance = rng.random(shape, dtype=np.float32)
    signal = trace.illuminate(evaluation) if trace else np.zeros(shape)
    electrons = ELECTRONS * sensitivity
    light = signal * electrons + SKY
    readouts = 1.0
    if look and look.nods:
        share = 1 / len(look.nods)
        light += SKY * share
        readouts += share
        for nod in look.nods:
            other = trace.illuminate(evaluation, nod) if trace else np.zeros(shape)
            signal = signal - share * other
            light += share**2 * other * electrons
    variances = {
        "var_poisson": light / electrons**2,
        "var_rnoise": np.full(shape, readouts * (READ_NOISE / electrons) ** 2),
        "var_flat": (FLAT_ERROR * signal) ** 2,
    }
    bad = chance < BAD
    quality = flags["DO_NOT_USE"] * bad + flags["JUMP_DET"] * (chance > 1 - JUMPS)
    if look:
        outside = np.isnan(evaluation.wavelengths)
        bars = np.ones(shape) if look.bars is None else look.bars
        gain = bars if look.is_divided_by_bars else np.ones(shape)
        signal = signal + SKY_LEFT * SKY / electrons * bars / gain
        variances = {
            name: np.where(outside, np.nan, variance / gain**2)
            for name, variance in variances.items()
        }
        quality |= _flag(rng, evaluation, look)
        bad = quality & flags["DO_NOT_USE"] != 0
    error = np.sqrt(sum(variances.values()))
    values = np.where(bad, np.nan, signal + error * noise)
    images: dict[str, np.ndarray] = {
        "data": (unit * values).astype(np.float32),
        "dq": quality.astype(np.uint32),
        "err": (unit * np.where(bad, np.nan, error)).astype(np.float32),
        "wavelength": evaluation.wavelengths.astype(np.float32),
        **{name: (unit**2 * variance).astype(np.float32) for name, variance in variances.items()},
    }
    names = ("flatfield", "pathloss", "photom")
    corrections = (f"{name}_{kind}" for name in names for kind in ("point", "uniform"))
    for level, name in enumerate((*corrections, "barshadow"), start=1):
        images[name] = np.float32(1e-3) * noise + np.float32(level)
        if look:
            # Near one, and with the wavelength each in its way.
            trend = evaluation.wavelengths / np.nanmedian(evaluation.wavelengths) - 1
            images[name] += (1 - level + 0.03 * level * trend).astype(np.float32)
    if look:
        images["barshadow"] = np.where(outside, np.nan, bars).astype(np.float32)
    return images


def _flag(rng: np.random.Generator, evaluation: Evaluation, look: Look) -> np.ndarray:
    """Return flags as in flight: clusters, a stripe, and where there is no light."""
    shape = evaluation.wavelengths.shape
    outlier = binary_dilation(rng.random(shape) < OUTLIERS)
    no_flat = binary_dilation(rng.random(shape) < BLOBS, iterations=2)
    outside = np.isnan(evaluation.wavelengths)
    columns = np.arange(shape[1])
    missing = columns >= shape[1] - look.missing if look.missing > 0 else columns < -look.missing
    quality: np.ndarray = (
        flags["OUTLIER"] * outlier
        | flags["NO_FLAT_FIELD"] * (no_flat | outside)
        | flags["UNRELIABLE_FLAT"] * outside
        | flags["REFERENCE_PIXEL"] * missing
        | flags["DO_NOT_USE"] * (outlier | no_flat | outside | missing)
    )
    if look.bars is not None:
        # The spectrum of a shutter that does not close, beside that of the source.
        start = rng.integers(0, shape[1])
        stripe = (columns >= start) & (columns < start + shape[1] // 5)
        near = np.abs(evaluation.offsets - rng.choice((-1, 1)) * STRIPE) < 1
        quality |= flags["MSA_FAILED_OPEN"] * (near & stripe)
    return quality
