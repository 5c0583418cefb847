"""How the official path grows, fitted to the sizes where it was measured.

Wall time (without the imports) as a power of the number of sources times a power of the number of
exposures; peak memory as a line in the slits of all exposures.
"""

from typing import Any, NamedTuple

import numpy as np


class Growth(NamedTuple):
    """The growth of the official path in a mode.

    Attributes
    ----------
    log_factor, power, exposure_power : float
        Wall time is ``exp(log_factor) * sources**power * exposures**exposure_power``, in seconds.
    base, slope : float
        Peak memory is ``base + slope * slits``, in bytes.
    """

    log_factor: float
    power: float
    exposure_power: float
    base: float
    slope: float

    def wall(self, exposures: int, sources: int) -> float:
        """Wall time in seconds."""
        powers = self.power * np.log(sources) + self.exposure_power * np.log(exposures)
        return float(np.exp(self.log_factor + powers))

    def memory(self, exposures: int, sources: int) -> float:
        """Peak memory in bytes."""
        return self.base + self.slope * exposures * sources


def fit_growth(sizes: dict[str, Any]) -> dict[str, Growth]:
    """Fit the growth of each mode that was measured with two numbers of sources or more.

    Parameters
    ----------
    sizes : dict
        Results by size.

    Returns
    -------
    dict of str to Growth
        Growth by mode.
    """
    growth = {}
    measured = [size for size in sizes.values() if "official" in size]
    for mode in {size["mode"] for size in measured}:
        own = [size for size in measured if size["mode"] == mode]
        sources = np.array([size["sources"] for size in own], float)
        exposures = np.array([size["exposures"] for size in own], float)
        if len(set(sources)) > 1:
            wall = np.array([_wall_without_imports(size) for size in own])
            memory = np.array([size["official"]["memory"] for size in own], float)
            slope, base = np.polyfit(exposures * sources, memory, 1)
            growth[mode] = Growth(*_fit_powers(wall, sources, exposures), float(base), float(slope))
    return growth


def _wall_without_imports(size: dict[str, Any]) -> float:
    official = size["official"]
    return official["wall"] - official["phases"]["import"]["wall"]


def _fit_powers(
    wall: np.ndarray, sources: np.ndarray, exposures: np.ndarray
) -> tuple[float, float, float]:
    """Logarithm of the factor, power of the sources, power of the exposures."""
    columns = np.stack([np.ones_like(wall), np.log(sources), np.log(exposures)], axis=1)
    if np.linalg.matrix_rank(columns) == 3:
        factor, power, exposure_power = np.linalg.lstsq(columns, np.log(wall))[0]
        return float(factor), float(power), float(exposure_power)
    # Exposures did not vary by themselves: each takes as long as any other.
    factor, power = np.linalg.lstsq(columns[:, :2], np.log(wall / exposures))[0]
    return float(factor), float(power), 1.0


def extrapolate(sizes: dict[str, Any]) -> None:
    """Add ``extrapolated`` to the sizes where the official path was not run, if it can be."""
    for mode, growth in fit_growth(sizes).items():
        for size in sizes.values():
            if size["mode"] == mode and "official" not in size:
                place = size["exposures"], size["sources"]
                size["extrapolated"] = {
                    "wall": growth.wall(*place),
                    "memory": growth.memory(*place),
                    "power": growth.power,
                    "exposure_power": growth.exposure_power,
                }
