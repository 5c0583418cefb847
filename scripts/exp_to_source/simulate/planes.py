"""Planes of simulated slits: a faint trace in noise, some of its pixels bad."""

import numpy as np

GRISM_PLANES = ("data", "dq", "err", "wavelength", "var_poisson", "var_rnoise", "var_flat")
SLIT_PLANES = (
    *GRISM_PLANES,
    *("flatfield_point", "flatfield_uniform", "pathloss_point", "pathloss_uniform"),
    *("photom_point", "photom_uniform"),
)
SHUTTER_PLANES = (*SLIT_PLANES, "barshadow")

DO_NOT_USE, JUMP_DET = 1, 4


def simulate_planes(
    rng: np.random.Generator, shape: tuple[int, int], waverange: tuple[float, float]
) -> dict[str, np.ndarray]:
    """Return all planes a slit may have.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the noise.
    shape : tuple of int
        Rows and columns.
    waverange : tuple of float
        Wavelengths of the first and of the last column, in microns.

    Returns
    -------
    dict of numpy.ndarray
        Planes by attribute name, of the given shape; uint32 for ``dq``, else float32.
    """
    rows, columns = shape
    wavelengths = np.linspace(*waverange, columns, dtype=np.float32)
    noise = rng.standard_normal(shape, dtype=np.float32)
    bad = noise > 2.5
    profile = np.exp(-0.5 * ((np.arange(rows) / rows - 0.5) / 0.1) ** 2)
    signal = 10 * profile.astype(np.float32)[:, np.newaxis] + noise
    signal[bad] = np.nan
    planes = {
        "data": signal,
        "dq": np.uint32(DO_NOT_USE) * bad + np.uint32(JUMP_DET) * (noise < -2),
        "err": 1 + 0.1 * np.abs(signal),
        "wavelength": np.tile(wavelengths, (rows, 1)),
        "var_poisson": 0.5 + 0.1 * np.abs(signal),
        "var_rnoise": 0.4 + 0.01 * np.abs(noise),
        "var_flat": 0.1 + 0.001 * noise**2,
    }
    names = ("flatfield", "pathloss", "photom")
    corrections = (f"{name}_{kind}" for name in names for kind in ("point", "uniform"))
    for level, name in enumerate((*corrections, "barshadow"), start=1):
        planes[name] = np.float32(level) + np.float32(1e-3) * noise
    return planes
