"""A picture of a product: the cut-outs of its exposures, one under another, and their sum."""

import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from astropy.visualization import AsinhStretch, AsymmetricPercentileInterval, ImageNormalize
from matplotlib.cm import ScalarMappable
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from ..files import atomic_write, write_all
from ..formats.manifests import read_manifest
from .axes import draw_axis, draw_sum
from .cutouts import Cutout, Entries, read_entries
from .extracted import read_extracted
from .layout import (
    COLUMNS,
    DPI,
    FONT,
    HEAD,
    LINE,
    MARGIN,
    ROWS,
    SUM,
    WIDTH,
    Panel,
    lay_out,
    visits,
    wrapped,
)
from .sums import SHOWN_UNITS, Spectrum, combine, signal_to_noise, sum_rows
from .traces import with_rows

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

#: Percentiles of the values that are drawn black and white.
PERCENTILES = (1.0, 99.5)
#: Approximate number of pixels from which the stretch is computed.
SAMPLE = 1_000_000

MAP = "gray"
NAN_COLOUR, UNUSABLE_COLOUR, ROW_COLOUR = "#3b6ea8", "#e08a2c", "#c2255c"

STYLE: "dict[RcKeyType, Any]" = {
    "font.family": FONT,
    "font.size": 8,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "xtick.major.size": 3,
    "xtick.major.pad": 2,
    "ytick.major.width": 0.6,
    "ytick.major.size": 3,
    "ytick.major.pad": 2,
    # Names come from headers: a dollar sign in them does not begin a formula.
    "text.parse_math": False,
}


def draw_quicklook(
    product: str, output: str, manifest: str | None = None, spectrum: str | None = None
) -> None:
    """Draw the cut-outs of a product.

    Parameters
    ----------
    product : str
        A source-based product.
    output : str
        PNG file to write. The same input gives the same bytes.
    manifest : str, optional
        The product's manifest, which names the exposure of each entry.
    spectrum : str, optional
        The spectrum that was extracted of it (x1d), to be drawn if it is there.

    Raises
    ------
    InputError
        If one of them is not a product or manifest.
    """
    exposures = [slit[0] for slit in read_manifest(manifest).slits] if manifest else []
    entries = with_rows(read_entries(product, exposures, ROWS * COLUMNS))
    name = os.path.basename(product).removesuffix(".fits").removesuffix("_cal")
    with matplotlib.rc_context(STYLE):
        figure = draw(name, entries, read_extracted(spectrum) if spectrum else None)
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=DPI, metadata={"Software": None})
    with atomic_write(output) as file:
        write_all(file, image.getvalue())


def draw(name: str, entries: Entries, extracted: Spectrum | None = None) -> Figure:
    """Draw a figure.

    Parameters
    ----------
    name : str
        Name of the product.
    entries : Entries
        What it has.
    extracted : Spectrum, optional
        Its spectrum.
    """
    sums = [spectrum for spectrum in map(sum_rows, entries.cutouts) if spectrum]
    spectra = [spectrum for spectrum in (combine(sums), extracted) if spectrum]
    title, lines = head_lines(name, entries, sums)
    head = HEAD + 2 * LINE * (len(title) - 1) + LINE * (len(lines) - 1)
    panels, height = lay_out(entries.cutouts, head)
    height += sum(SUM) if spectra else 0
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), facecolor="white")
    norm = stretch(entries.cutouts)
    for panel in panels:
        draw_panel(figure, height, panel, norm)
    if spectra:
        width = panels[0].width if len(panels) <= ROWS else WIDTH - 2 * MARGIN
        draw_sum(figure, height, width, combine(sums), extracted)
    draw_head(figure, height, title, lines)
    draw_foot(figure, height, entries, norm)
    return figure


def draw_panel(figure: Figure, height: float, panel: Panel, norm: ImageNormalize) -> None:
    """Draw a cut-out with its caption and axis, and marks at the row expected of its source."""
    cutout = panel.cutout
    bottom = height - panel.top - panel.height
    box = (panel.left / WIDTH, bottom / height, panel.width / WIDTH, panel.height / height)
    axes = figure.add_axes(box, yticks=[])
    # Average if several pixels fall in one of the picture; otherwise keep edges of pixels.
    finer = cutout.data.shape[1] > panel.width
    axes.imshow(
        colours(cutout, norm),
        origin="lower",
        aspect="auto",
        interpolation="antialiased" if finer else "none",
    )
    if cutout.row is not None:
        across = axes.get_yaxis_transform()
        for place, marker in ((-0.004, 5), (1.004, 4)):
            axes.plot(
                [place], [cutout.row], transform=across, marker=marker, markersize=5,
                color=ROW_COLOUR, clip_on=False, linestyle="", scaley=False, scalex=False,
            )  # fmt: skip
    axes.set_title("\n".join(panel.caption), loc="left", fontsize=8, pad=3.5)
    draw_axis(axes, panel)


def stretch(cutouts: Sequence[Cutout]) -> ImageNormalize:
    """One stretch for all cut-outs, from their usable values."""
    every = max(1, sum(cutout.data.size for cutout in cutouts) // SAMPLE)
    values = np.concatenate([cutout.data[~cutout.unusable][::every] for cutout in cutouts])
    values = values[np.isfinite(values)]
    low, high = AsymmetricPercentileInterval(*PERCENTILES).get_limits(values) if values.size else (
        0.0, 0.0,
    )  # fmt: skip
    if not high > low:
        low, high = low - 0.5, low + 0.5
    return ImageNormalize(vmin=float(low), vmax=float(high), stretch=AsinhStretch(0.2), clip=True)


def colours(cutout: Cutout, norm: ImageNormalize) -> np.ndarray:
    """Colour of each pixel: grey for values, other colours for missing or bad values.

    Returns
    -------
    numpy.ndarray
        Of shape (rows, columns, 3), from 0 to 1.
    """
    missing = ~np.isfinite(cutout.data)
    values = norm(np.where(missing, norm.vmin, cutout.data))
    image: np.ndarray = matplotlib.colormaps[MAP](values)[..., :3]
    image[cutout.unusable] = to_rgb(UNUSABLE_COLOUR)
    image[missing] = to_rgb(NAN_COLOUR)
    return image


def head_lines(
    name: str, entries: Entries, sums: Sequence[Spectrum]
) -> tuple[list[str], list[str]]:
    """Lines of the header: the source; and its product, setting, place and signal-to-noise."""
    title = [f"Source {entries.source_id}"]
    if entries.source_name and entries.source_name != entries.source_id:
        title.append(entries.source_name)
    words = [name, entries.setting, f"{entries.total} entries" if entries.total > 1 else "1 entry"]
    if len(found := visits(entries.cutouts)) == 1 and (visit := found.pop()):
        words.append(f"exposures {visit}")
    if entries.position:
        words.append("RA {:.5f}, Dec {:+.5f}".format(*entries.position))
    if sums:
        words.append(f"S/N {signal_to_noise(sums):.1f} a pixel")
    return wrapped(title, 640, 13, "bold"), wrapped(words, 670, 8)


def draw_head(figure: Figure, height: float, title: list[str], lines: list[str]) -> None:
    """Draw the header."""
    for number, line in enumerate(title):
        top = 32 + 2 * LINE * number
        figure.text(MARGIN / WIDTH, 1 - top / height, line, fontsize=13, weight="bold")
    for number, line in enumerate(lines):
        top = 54 + 2 * LINE * (len(title) - 1) + (LINE + 1) * number
        figure.text(MARGIN / WIDTH, 1 - top / height, line, color="#444")


def draw_foot(figure: Figure, height: float, entries: Entries, norm: ImageNormalize) -> None:
    """Draw the legend of the colours, and the number of entries that are not shown."""
    bar = figure.add_axes((1 - (MARGIN + 250) / WIDTH, 1 - 36 / height, 250 / WIDTH, 10 / height))
    scale = figure.colorbar(ScalarMappable(norm, MAP), cax=bar, orientation="horizontal")
    units = list(dict.fromkeys(cutout.unit for cutout in entries.cutouts))
    unit, factor = SHOWN_UNITS.get(units[0], (units[0], 1.0))
    if len(units) > 1:
        unit, factor = "of several units", 1.0
    ticks = ticks_of_bar(norm, factor)
    scale.set_ticks(ticks, labels=[f"{factor * tick:.4g}" for tick in ticks])
    bar.set_title(f"SCI, {unit}" if unit else "SCI, no unit given", loc="right", fontsize=8, pad=3)
    if handles := legend_of(entries.cutouts):
        figure.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(MARGIN / WIDTH, 6 / height),
            borderpad=0,
            borderaxespad=0,
            ncols=3,
            frameon=False,
            handlelength=1,
            handleheight=1,
            columnspacing=1.5,
        )
    note = f"asinh stretch, {PERCENTILES[0]:g} to {PERCENTILES[1]:g} % of the usable pixels shown"
    if hidden := entries.total - len(entries.cutouts):
        note = f"{hidden} more entries are not shown  ·  {note}"
    figure.text(1 - MARGIN / WIDTH, 12 / height, note, ha="right", va="center", color="#444")


def ticks_of_bar(norm: ImageNormalize, factor: float) -> list[float]:
    """Choose values that are round in the unit shown, and whose labels do not overlap."""
    low, high = float(norm.vmin), float(norm.vmax)
    kept: list[float] = []
    for tick in np.asarray(MaxNLocator(4).tick_values(factor * low, factor * high))[::-1] / factor:
        if low <= tick <= high and (not kept or float(norm(kept[-1]) - norm(tick)) > 0.16):
            kept.append(float(tick))
    return kept[::-1]


def legend_of(cutouts: Sequence[Cutout]) -> list[Patch | Line2D]:
    """Name the colours and marks that occur."""
    handles: list[Patch | Line2D] = []
    missing = [~np.isfinite(cutout.data) for cutout in cutouts]
    if any(plane.any() for plane in missing):
        handles.append(Patch(facecolor=NAN_COLOUR, label="NaN"))
    pairs = zip(cutouts, missing, strict=True)
    if any((cutout.unusable & ~plane).any() for cutout, plane in pairs):
        handles.append(Patch(facecolor=UNUSABLE_COLOUR, label="DO_NOT_USE"))
    if any(cutout.row is not None for cutout in cutouts):
        about = "expected row of the source"
        handles.append(
            Line2D([], [], color=ROW_COLOUR, label=about, marker=5, markersize=5, linestyle="")
        )
    return handles
