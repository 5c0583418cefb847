"""The axes of a picture: wavelengths of cut-outs, and the spectrum below them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from .cutouts import WAVELENGTH_UNIT
from .layout import FOOT, MARGIN, SUM, WIDTH, Panel
from .sums import HEIGHT, Spectrum

SUM_COLOUR, EXTRACTED_COLOUR = "#444444", "#0b7285"


def wavelength_ticks(wavelengths: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Round wavelengths, and their positions.

    Parameters
    ----------
    wavelengths : numpy.ndarray
        Wavelength at each pixel, rising or falling; NaN for none.
    count : int
        Maximum number of ticks.

    Returns
    -------
    numpy.ndarray
        Wavelengths.
    numpy.ndarray
        Positions, in pixels from the centre of the first.
    """
    pixels = np.flatnonzero(np.isfinite(wavelengths))
    known = wavelengths[pixels]
    if known.size < 2 or known[0] == known[-1]:
        return np.empty(0), np.empty(0)
    if known[0] > known[-1]:
        pixels, known = pixels[::-1], known[::-1]
    # Small noise must not make the axis reverse.
    known = np.maximum.accumulate(known)
    ticks = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(known[0], known[-1])
    ticks = ticks[(ticks >= known[0]) & (ticks <= known[-1])]
    return ticks, np.interp(ticks, known, pixels)


def draw_axis(axes: Axes, panel: Panel) -> None:
    """Draw the wavelength axis of a cut-out, or a pixel axis if it has no wavelengths."""
    cutout = panel.cutout
    count = max(2, int(panel.width / 75))
    if cutout.wavelengths is None:
        size = cutout.data.shape[1]
        ticks = np.asarray(MaxNLocator(count, integer=True, min_n_ticks=1).tick_values(1, size))
        ticks = ticks[(ticks >= 1) & (ticks <= size)]
        places, unit = ticks - 1, " px"
    else:
        ticks, places = wavelength_ticks(cutout.wavelengths, count)
        unit = f" {WAVELENGTH_UNIT}"
    labels = [f"{tick:.6g}" for tick in ticks] if panel.labelled else [""] * len(ticks)
    if panel.labelled and labels:
        labels[-1] += unit
    axes.set_xticks(places, labels)


def draw_sum(
    figure: Figure, height: float, width: float, summed: Spectrum | None, extracted: Spectrum | None
) -> None:
    """Draw the sum of the brightest rows, the mean of all entries, and the extracted spectrum."""
    place = (MARGIN / WIDTH, (FOOT + SUM[2]) / height, width / WIDTH, SUM[1] / height)
    axes = figure.add_axes(place)
    said = []
    for spectrum, colour, what in (
        (summed, SUM_COLOUR, f"sum of {HEIGHT} rows, mean of the entries shown"),
        (extracted, EXTRACTED_COLOUR, "extracted spectrum (x1d)"),
    ):
        if spectrum:
            x, flux, error = spectrum.wavelengths, spectrum.flux, spectrum.error
            axes.fill_between(x, flux - error, flux + error, color=colour, alpha=0.25, linewidth=0)
            axes.plot(x, flux, color=colour, linewidth=0.9)
            said.append(Line2D([], [], color=colour, label=f"{what}, {spectrum.unit or 'no unit'}"))
    shown = [s for s in (summed, extracted) if s]
    axes.set_xlim(*_limits([s.wavelengths for s in shown]))
    axes.set_ylim(*_limits([s.flux for s in shown], 0.06))
    axes.axhline(0, color="#999999", linewidth=0.5, zorder=0)
    low, high = axes.get_ylim()
    margin = 0.08 * (high - low)
    ticks = [
        float(tick)
        for tick in MaxNLocator(4).tick_values(low, high)
        if low + margin < tick < high - margin
    ]
    axes.set_yticks(ticks, [""] * len(ticks))
    for tick in ticks:
        # Within the frame, as the picture has no room beside it.
        axes.annotate(
            f"{tick:.4g}",
            (0, tick),
            (5, 0),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            bbox={"facecolor": "white", "alpha": 0.8, "pad": 0.6, "linewidth": 0},
        )
    axes.legend(
        handles=said,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        frameon=False,
        borderpad=0.2,
        borderaxespad=0,
        handlelength=1.2,
    )


def _limits(arrays: Sequence[np.ndarray], margin: float = 0.0) -> tuple[float, float]:
    """Lowest and highest of all values, with a margin, and never the same."""
    values = np.concatenate(arrays)
    values = values[np.isfinite(values)]
    low, high = (values.min(), values.max()) if values.size else (0.0, 0.0)
    room = margin * (high - low) if high > low else 0.5 * (abs(float(high)) or 1.0)
    return float(low - room), float(high + room)
