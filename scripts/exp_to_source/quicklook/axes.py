"""The axes of a picture: wavelengths of cut-outs, and the spectrum below them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .box import HEIGHT
from .cutouts import WAVELENGTH_UNIT
from .layout import FOOT, MARGIN, SPECTRUM, WIDTH, Panel
from .spectra import Spectrum, compare_apertures, compute_flux_limits

#: Colours of spectra, by their order.
SUM_COLOURS = ("#444444", "#e08a2c", "#74a57f")
EXTRACTED_COLOURS = ("#0b7285", "#e599b5", "#b197fc")
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
    number: int,
    has_orders: bool,
    sums: Sequence[Spectrum],
    extracted: Sequence[Spectrum],
) -> Axes:
    """Draw the sums of all entries along their traces, and extracted spectra, all of one unit.

    The plots of several units are numbered from the lowest, from zero.
    """
    bottom = (FOOT + SPECTRUM[2] + number * sum(SPECTRUM)) / height
    axes = figure.add_axes((MARGIN / WIDTH, bottom, width / WIDTH, SPECTRUM[1] / height))
    shown = [*sums, *extracted]
    unit = shown[0].unit
    orders = list(dict.fromkeys(spectrum.order for spectrum in shown))
    for spectra, colours, label in (
        (sums, SUM_COLOURS, f"sum of {HEIGHT} rows along the trace"),
        (extracted, EXTRACTED_COLOURS, "extracted spectrum (x1d)"),
    ):
        words = [label, unit or "no unit"]
        for spectrum in spectra:
            words += [f"order {spectrum.order}"] if has_orders else []
            place = orders.index(spectrum.order)
            colour = colours[place % len(colours)]
            x, flux, error = spectrum.wavelengths, spectrum.flux, spectrum.error
            axes.fill_between(x, flux - error, flux + error, color=colour, alpha=0.25, linewidth=0)
            # The first order is the brightest: above the noise of others.
            above = 3 - 0.1 * place
            axes.plot(x, flux, color=colour, linewidth=0.9, label=", ".join(words), zorder=above)
            words = []
    axes.set_xlim(*_pad_limits((s.wavelengths[0], s.wavelengths[-1]) for s in shown))
    low, high = _pad_limits([(0.0, 0.0), *map(compute_flux_limits, shown)], 0.06)
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
    axes.legend(bbox_to_anchor=(0, 1), ncols=6, borderpad=0.2, handlelength=1.2, **LEGEND)
    return axes


def _pad_limits(limits: Iterable[tuple[float, float]], margin: float = 0.0) -> tuple[float, float]:
    """Return the lowest and highest of all limits, with a margin, and never the same."""
    lows, highs = zip(*limits, strict=True)
    low, high = min(lows), max(highs)
    pad = margin * (high - low) if high > low else 0.5 * (abs(high) or 1.0)
    return low - pad, high + pad
