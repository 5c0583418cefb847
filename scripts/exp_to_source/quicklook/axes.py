"""The axes of a picture: wavelengths of cut-outs, and the spectrum below them."""

from collections.abc import Iterable, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from .box import HEIGHT
from .cutouts import WAVELENGTH_UNIT
from .layout import FOOT, MARGIN, SPECTRUM, WIDTH, Panel
from .spectra import Spectrum, compare_apertures, compute_flux_limits

SUM_COLOUR, EXTRACTED_COLOUR = "#444444", "#0b7285"
#: Styles of the lines of orders.
DASHES: tuple[Any, ...] = ("-", "--", ":")
#: Options of legends.
LEGEND: dict[str, Any] = {"loc": "lower left", "frameon": False, "borderaxespad": 0}


def find_wavelength_ticks(wavelengths: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return at most `count` round wavelengths, and their pixels, counted from zero.

    The wavelengths of the pixels rise or fall; NaN for none.
    """
    pixels = np.flatnonzero(np.isfinite(wavelengths))
    values = wavelengths[pixels]
    if values.size < 2 or values[0] == values[-1]:
        return np.empty(0), np.empty(0)
    if values[0] > values[-1]:
        pixels, values = pixels[::-1], values[::-1]
    # Small noise must not make the axis reverse.
    values = np.maximum.accumulate(values)
    ticks = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(values[0], values[-1])
    ticks = ticks[(ticks >= values[0]) & (ticks <= values[-1])]
    return ticks, np.interp(ticks, values, pixels)


def format_ticks(ticks: Sequence[float] | np.ndarray) -> list[str]:
    """Format ticks with one number of decimals: 2.00 and 2.25, not 2 and 2.25."""
    labels = [f"{tick:.6g}" for tick in ticks]
    if any("e" in label for label in labels):
        return labels
    decimals = max((len(label.partition(".")[2]) for label in labels), default=0)
    return [f"{tick:.{decimals}f}" for tick in ticks]


def draw_axis(axes: Axes, panel: Panel) -> None:
    """Draw the wavelength axis of a cut-out, or a pixel axis if it has no wavelengths."""
    cutout = panel.cutout
    count = max(2, int(panel.width / 75))
    if cutout.wavelengths is None:
        size = cutout.data.shape[1]
        ticks = np.asarray(MaxNLocator(count, integer=True, min_n_ticks=1).tick_values(1, size))
        ticks = ticks[(ticks >= 1) & (ticks <= size)]
        pixels, unit = ticks - 1, " px"
    else:
        ticks, pixels = find_wavelength_ticks(cutout.wavelengths, count)
        unit = f" {WAVELENGTH_UNIT}"
    labels = format_ticks(ticks) if panel.labelled else [""] * len(ticks)
    if panel.labelled and labels:
        labels[-1] += unit
    axes.set_xticks(pixels, labels)


def draw_spectra(
    figure: Figure,
    height: float,
    width: float,
    sums: Sequence[Spectrum],
    extracted: Sequence[Spectrum],
) -> Axes:
    """Draw the sums of all entries along their traces, and extracted spectra, of the first unit."""
    bottom = (FOOT + SPECTRUM[2]) / height
    axes = figure.add_axes((MARGIN / WIDTH, bottom, width / WIDTH, SPECTRUM[1] / height))
    unit = (*extracted, *sums)[0].unit
    shown = [spectrum for spectrum in (*extracted, *sums) if spectrum.unit == unit]
    # Headers of NIRSpec may have any order.
    several = max(len(sums), len(extracted)) > 1
    styles = dict.fromkeys((spectrum.order for spectrum in shown), DASHES[0])
    if several:
        styles = dict(zip(styles, cycle(DASHES)))
    handles = [
        Line2D([], [], color=colour, label=f"{label}, {unit or 'no unit'}")
        for spectra, colour, label in (
            (sums, SUM_COLOUR, f"sum of {HEIGHT} rows along the trace"),
            (extracted, EXTRACTED_COLOUR, "extracted spectrum (x1d)"),
        )
        if any(spectrum.unit == unit for spectrum in spectra)
    ]
    if several:
        handles += [
            Line2D([], [], color="k", linestyle=style, label=f"order {order}")
            for order, style in styles.items()
        ]
    for spectrum in shown:
        is_sum = any(spectrum is summed for summed in sums)
        colour = SUM_COLOUR if is_sum else EXTRACTED_COLOUR
        x, flux, error = spectrum.wavelengths, spectrum.flux, spectrum.error
        axes.fill_between(x, flux - error, flux + error, color=colour, alpha=0.25, linewidth=0)
        axes.plot(x, flux, linestyle=styles[spectrum.order], color=colour, linewidth=0.9)
    axes.set_xlim(*_pad_limits((s.wavelengths[0], s.wavelengths[-1]) for s in shown))
    low, high = _pad_limits(map(compute_flux_limits, shown), 0.06)
    axes.set_ylim(low, high)
    axes.axhline(0, color="#999999", linewidth=0.5, zorder=0)
    if remark := compare_apertures(sums, extracted):
        axes.text(
            0.995, 0.95, remark, transform=axes.transAxes, ha="right", va="top", color="#c2255c",
            fontsize=7.5,
        )  # fmt: skip
    margin = 0.08 * (high - low)
    ticks = np.asarray(MaxNLocator(4).tick_values(low, high))
    ticks = ticks[(low + margin < ticks) & (ticks < high - margin)]
    # Labels are within the frame, as the picture has no room beside it, and above the lines.
    box = {"facecolor": "white", "alpha": 0.8, "pad": 0.6, "linewidth": 0}
    axes.set_yticks(ticks, format_ticks(ticks), ha="left", bbox=box)
    axes.tick_params(axis="y", pad=-8)
    axes.set_axisbelow(False)
    axes.legend(
        handles=handles, bbox_to_anchor=(0, 1), ncols=5, borderpad=0.2, handlelength=1.2, **LEGEND
    )
    return axes


def _pad_limits(limits: Iterable[tuple[float, float]], margin: float = 0.0) -> tuple[float, float]:
    """Return the lowest and highest of all limits, with a margin, and never the same."""
    lows, highs = zip(*limits, strict=True)
    low, high = min(lows), max(highs)
    pad = margin * (high - low) if high > low else 0.5 * (abs(high) or 1.0)
    return low - pad, high + pad
