"""A picture of a product: the cut-outs of its exposures, one under another, in one stretch."""

import io
import math
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib
import numpy as np
from astropy.visualization import AsinhStretch, AsymmetricPercentileInterval, ImageNormalize
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from ..files import replacing, write_all
from ..formats.manifests import read_manifest
from .cutouts import WAVELENGTH_UNIT, Cutout, Entries, read_entries

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

#: Maximum number of cut-outs per column, and of columns; a note counts the others.
ROWS, COLUMNS = 12, 3
#: Percentiles of the values that are drawn black and white.
PERCENTILES = (1.0, 99.5)
#: Approximate number of pixels from which the stretch is computed.
SAMPLE = 1_000_000

MAP = "gray"
NAN_COLOUR, UNUSABLE_COLOUR = "#3b6ea8", "#e08a2c"

#: Sizes in pixels.
DPI = 100
WIDTH, MARGIN, GAP = 1000, 24, 20
HEAD, FOOT, CAPTION, TICKS = 72, 34, 19, 20
LEAST_HEIGHT, GREATEST_HEIGHT = 28, 240
#: A pixel is not drawn larger than this.
GREATEST_SCALE = 12
SEPARATOR = "  ·  "
#: Prefix of names of exposures: program, observation, visit.
VISIT = re.compile(r"(jw[0-9]{11})_")

#: Approximate width of a letter of a caption.
LETTER = 5.9

STYLE: "dict[RcKeyType, Any]" = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "xtick.major.size": 3,
    "xtick.major.pad": 2,
    # Names come from headers: a dollar sign in them does not begin a formula.
    "text.parse_math": False,
}


class Panel(NamedTuple):
    """Position of a cut-out, in pixels from the top left; `room` is the space for its caption."""

    cutout: Cutout
    left: float
    top: float
    width: float
    height: float
    room: float
    labelled: bool


def draw_quicklook(product: str, output: str, manifest: str | None = None) -> None:
    """Draw the cut-outs of a product.

    Parameters
    ----------
    product : str
        A source-based product.
    output : str
        PNG file to write. The same input gives the same bytes.
    manifest : str, optional
        The product's manifest, which names the exposure of each entry.

    Raises
    ------
    InputError
        If one of them is not a product or manifest.
    """
    exposures = [slit[0] for slit in read_manifest(manifest).slits] if manifest else []
    entries = read_entries(product, exposures, ROWS * COLUMNS)
    name = os.path.basename(product).removesuffix(".fits").removesuffix("_cal")
    with matplotlib.rc_context(STYLE):
        figure = draw(name, entries)
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=DPI, metadata={"Software": None})
    with replacing(output) as file:
        write_all(file, image.getvalue())


def draw(name: str, entries: Entries) -> Figure:
    """Draw a figure.

    Parameters
    ----------
    name : str
        Name of the product.
    entries : Entries
        What it has.
    """
    panels, height = lay_out(entries.cutouts)
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), facecolor="white")
    norm = stretch(entries.cutouts)
    captions = make_captions(entries.cutouts)
    for panel, caption in zip(panels, captions, strict=True):
        bottom = height - panel.top - panel.height
        box = (panel.left / WIDTH, bottom / height, panel.width / WIDTH, panel.height / height)
        axes = figure.add_axes(box, yticks=[])
        # Average if several pixels fall in one of the picture; otherwise keep edges of pixels.
        finer = panel.cutout.data.shape[1] > panel.width
        axes.imshow(
            colours(panel.cutout, norm),
            origin="lower",
            aspect="auto",
            interpolation="antialiased" if finer else "none",
        )
        axes.set_title(_cut(caption, panel.room), loc="left", fontsize=8, pad=3.5)
        draw_axis(axes, panel)
    draw_head(figure, height, name, entries)
    draw_foot(figure, height, entries, norm)
    return figure


def lay_out(cutouts: Sequence[Cutout]) -> tuple[list[Panel], float]:
    """Position the cut-outs; pixels are square if that is neither too flat nor too tall.

    Returns
    -------
    list of Panel
        One for each cut-out.
    float
        Height of the figure, in pixels.
    """
    columns = math.ceil(len(cutouts) / ROWS)
    rows = math.ceil(len(cutouts) / columns)
    width = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns
    longest = max(cutout.data.shape[1] for cutout in cutouts)
    scale = min(width / longest, GREATEST_SCALE)
    panels = []
    bottom = 0.0
    for column in range(columns):
        top = float(HEAD)
        own = cutouts[column * rows : (column + 1) * rows]
        for cutout, below in zip(own, [*own[1:], None], strict=True):
            height = min(max(cutout.data.shape[0] * scale, LEAST_HEIGHT), GREATEST_HEIGHT)
            labelled = below is None or not same_axis(cutout, below)
            left = MARGIN + column * (width + GAP)
            panels.append(
                Panel(cutout, left, top + CAPTION, longest * scale, height, width, labelled)
            )
            top += CAPTION + height + (TICKS if labelled else 0) + 5
        bottom = max(bottom, top)
    return panels, round(bottom + FOOT)


def same_axis(one: Cutout, other: Cutout) -> bool:
    """Whether two cut-outs have the same wavelengths, to within half a pixel."""
    if one.data.shape[1] != other.data.shape[1]:
        return False
    if one.wavelengths is None or other.wavelengths is None:
        return one.wavelengths is other.wavelengths
    known = np.isfinite(one.wavelengths) & np.isfinite(other.wavelengths)
    if not known.any() or (known != np.isfinite(one.wavelengths)).any():
        return False
    step = np.ptp(one.wavelengths[known]) / max(known.sum() - 1, 1)
    return bool(np.abs(one.wavelengths - other.wavelengths)[known].max() <= step / 2)


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


def visits(cutouts: Sequence[Cutout]) -> set[str]:
    """Program, observation and visit of the exposures, from the beginning of their names."""
    return {match[1] if (match := VISIT.match(cutout.exposure)) else "" for cutout in cutouts}


def make_captions(cutouts: Sequence[Cutout]) -> list[str]:
    """Lines above the cut-outs, without what all have in common, which is in the header."""
    one_visit = len(visits(cutouts)) == 1
    one_order = {cutout.order for cutout in cutouts} <= {None, 1}
    one_unit = len({cutout.unit for cutout in cutouts}) == 1
    captions = []
    for cutout in cutouts:
        name = cutout.exposure.removesuffix("_cal").removesuffix("_mbsub")
        rows, columns = cutout.data.shape
        words = [
            f"{cutout.number}  {VISIT.sub('', name) if one_visit else name}".strip(),
            f"slit {cutout.slit}" if cutout.slit else "",
            "" if one_order else f"order {cutout.order}",
            f"{columns} x {rows} px",
            cutout.unit if not one_unit else "",
            "rows and columns exchanged" if cutout.turned else "",
            "all NaN" if np.isnan(cutout.data).all() else "",
            "no wavelengths" if cutout.wavelengths is None else "",
        ]
        captions.append(SEPARATOR.join(filter(None, words)))
    return captions


def _cut(text: str, width: float) -> str:
    longest = int(width / LETTER)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def draw_head(figure: Figure, height: float, name: str, entries: Entries) -> None:
    """Draw the header: product, source and setting."""
    title = f"Source {entries.source_id}"
    if entries.source_name and entries.source_name != entries.source_id:
        title += f"  {entries.source_name}"
    words = [name, entries.setting, f"{entries.total} entries" if entries.total > 1 else "1 entry"]
    if len(found := visits(entries.cutouts)) == 1 and (visit := found.pop()):
        words.append(f"exposures {visit}")
    left = MARGIN / WIDTH
    figure.text(left, 1 - 32 / height, _cut(title, 500), fontsize=13, weight="bold")
    figure.text(left, 1 - 54 / height, _cut(SEPARATOR.join(filter(None, words)), 680), color="#444")


def draw_foot(figure: Figure, height: float, entries: Entries, norm: ImageNormalize) -> None:
    """Draw the legend of the colours, and the number of entries that are not shown."""
    bar = figure.add_axes((1 - (MARGIN + 250) / WIDTH, 1 - 36 / height, 250 / WIDTH, 10 / height))
    scale = figure.colorbar(ScalarMappable(norm, MAP), cax=bar, orientation="horizontal")
    ticks = MaxNLocator(4).tick_values(norm.vmin, norm.vmax)
    ticks = ticks[(ticks >= norm.vmin) & (ticks <= norm.vmax)]
    scale.set_ticks(ticks, labels=[f"{tick:.4g}" for tick in ticks])
    units = list(dict.fromkeys(cutout.unit for cutout in entries.cutouts))
    unit = units[0] if len(units) == 1 else "of several units"
    bar.set_title(f"SCI, {unit}" if unit else "SCI, no unit given", loc="right", fontsize=8, pad=3)
    figure.legend(
        handles=[
            Patch(facecolor=NAN_COLOUR, label="NaN"),
            Patch(facecolor=UNUSABLE_COLOUR, label="DO_NOT_USE"),
        ],
        loc="lower left",
        bbox_to_anchor=(MARGIN / WIDTH, 6 / height),
        borderpad=0,
        borderaxespad=0,
        ncols=2,
        frameon=False,
        handlelength=1,
        handleheight=1,
        columnspacing=1.5,
    )
    note = f"asinh stretch, {PERCENTILES[0]:g} to {PERCENTILES[1]:g} % of the usable pixels shown"
    if hidden := entries.total - len(entries.cutouts):
        note = f"{hidden} more entries are not shown  ·  {note}"
    figure.text(1 - MARGIN / WIDTH, 12 / height, note, ha="right", va="center", color="#444")
