"""A picture of a product: the cut-outs of its exposures, one under another, and their sum."""

import io
import os
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import AsinhNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from ..files import write_file
from ..formats.manifests import read_manifest
from ..results import CAL, manifest_path, spectrum_path
from .axes import LEGEND, draw_axis, draw_spectra, format_ticks
from .cutouts import WAVELENGTH_UNIT, Cutout, ProductCutouts, read_cutouts
from .digests import PNG_KEYWORD, read_spectrum_digest
from .expected_rows import add_expected_rows
from .layout import (
    COLUMNS,
    DPI,
    FONT,
    HEAD,
    LINE,
    MARGIN,
    RESAMPLED,
    ROWS,
    SPECTRUM,
    WIDTH,
    Panel,
    find_visits,
    lay_out_panels,
    wrap_words,
)
from .resampled import align_columns, read_resampled
from .spectra import (
    SHOWN_UNITS,
    Spectrum,
    find_brightest_line,
    get_signal_to_noise,
    read_extracted,
    sum_cutouts,
)
from .stretch import PERCENTILES, compute_stretch

COLOUR_MAP = "gray"
NAN_COLOUR, UNUSABLE_COLOUR, ROW_COLOUR = "#3b6ea8", "#e08a2c", "#c2255c"
APERTURE_COLOUR = "#f783ac"

STYLE: dict[Any, Any] = {
    "font.family": FONT,
    "font.size": 8,
    "axes.linewidth": 0.6,
    **{
        f"{axis}tick.{key}": value
        for axis in "xy"
        for key, value in (("labelsize", 7.5), ("major.width", 0.6), ("major.size", 3))
    },
    "xtick.major.pad": 2,
    # Names come from headers: a dollar sign in them does not begin a formula.
    "text.parse_math": False,
}


def warm_up() -> None:
    """Import and look up all that the first picture needs, for forks of this process."""
    import asdf
    import scipy.interpolate  # noqa: F401

    _ = asdf.get_config().extensions
    figure = Figure(figsize=(1, 1))
    figure.add_subplot().set_title("fonts", weight="bold")
    figure.savefig(io.BytesIO(), format="png")


def draw_quicklook(product: str, output: str, results: str | None = None) -> None:
    """Draw the cut-outs of a product in a PNG file; the same input gives the same bytes.

    The manifest in the folder of results names the exposure of each entry, and its digest is
    written to the picture. The spectrum extracted from this state of the product is drawn, too.
    """
    name = os.path.basename(product).removesuffix(CAL).removesuffix(".fits")
    exposures, extracted, resampled, digest = [], [], None, None
    if results:
        manifest = read_manifest(manifest_path(results, name))
        exposures, digest = [exposure for exposure, _ in manifest.slits], manifest.digest
        if read_spectrum_digest(results, name) == digest:
            extracted = read_extracted(spectrum_path(results, name, "x1d"))
            resampled = read_resampled(results, name)
    content = add_expected_rows(read_cutouts(product, exposures, ROWS * COLUMNS))
    with matplotlib.rc_context(STYLE):
        figure = draw_figure(name, content, extracted, resampled)
        image = io.BytesIO()
        metadata = {"Software": None} | ({PNG_KEYWORD: digest} if digest else {})
        figure.savefig(image, format="png", dpi=DPI, metadata=metadata)
    write_file(output, image.getvalue())


def draw_figure(
    name: str,
    content: ProductCutouts,
    extracted: Sequence[Spectrum] = (),
    resampled: Cutout | None = None,
) -> Figure:
    """Draw the cut-outs of a product of a name, its resampled cut-out and extracted spectra."""
    sums = sum_cutouts(content.cutouts)
    title, lines = make_header(name, content, sums)
    head = HEAD + 2 * LINE * (len(title) - 1) + LINE * (len(lines) - 1)
    panels, height = lay_out_panels(content.cutouts, head)
    units = list(dict.fromkeys(spectrum.unit for spectrum in (*extracted, *sums)))
    height += len(units) * sum(SPECTRUM)
    height += sum(RESAMPLED) if extracted and resampled else 0
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), facecolor="white")
    norms = {
        unit: compute_norm([cutout for cutout in content.cutouts if cutout.unit == unit])
        for unit in dict.fromkeys(cutout.unit for cutout in content.cutouts)
    }
    for panel in panels:
        draw_panel(figure, height, panel, norms[panel.cutout.unit])
    width = panels[0].width if len(panels) <= ROWS else WIDTH - 2 * MARGIN
    # Headers of NIRSpec may have any order.
    has_orders = max(len(sums), len(extracted)) > 1
    for number, unit in enumerate(reversed(units)):
        axes = draw_spectra(
            figure,
            height,
            width,
            number,
            has_orders,
            [spectrum for spectrum in sums if spectrum.unit == unit],
            [spectrum for spectrum in extracted if spectrum.unit == unit],
        )
    if extracted and resampled:
        draw_resampled(figure, height, axes, resampled)
    draw_header(figure, height, title, lines)
    draw_footer(figure, height, content, norms)
    return figure


def draw_panel(figure: Figure, height: float, panel: Panel, norm: AsinhNorm) -> None:
    """Draw a cut-out with its caption and axis, and marks at the row expected of its source."""
    cutout = panel.cutout
    bottom = height - panel.top - panel.height
    box = (panel.left / WIDTH, bottom / height, panel.width / WIDTH, panel.height / height)
    axes = figure.add_axes(box, yticks=[])
    # Average if several pixels fall in one of the picture; otherwise keep edges of pixels.
    finer = cutout.data.shape[1] > panel.width
    axes.imshow(
        colour_pixels(cutout, norm),
        origin="lower",
        aspect="auto",
        interpolation="antialiased" if finer else "none",
    )
    if cutout.expected_row is not None:
        for x, marker in ((-0.004, 5), (1.004, 4)):
            axes.plot(
                [x], [cutout.expected_row], transform=axes.get_yaxis_transform(), marker=marker,
                markersize=5, color=ROW_COLOUR, clip_on=False, linestyle="", scaley=False,
                scalex=False,
            )  # fmt: skip
    axes.set_title("\n".join(panel.caption), loc="left", fontsize=8, pad=3.5)
    draw_axis(axes, panel)


def draw_resampled(figure: Figure, height: float, spectra: Axes, cutout: Cutout) -> None:
    """Draw a resampled cut-out above the spectra, on their axis, with its aperture."""
    if cutout.wavelengths is None:
        return
    box = spectra.get_position()
    bottom = box.y1 + RESAMPLED[1] / height
    axes = figure.add_axes((box.x0, bottom, box.width, RESAMPLED[0] / height), yticks=[])
    low, high = spectra.get_xlim()
    data = align_columns(cutout, low, high, round(box.width * WIDTH))
    aligned = cutout._replace(data=data, unusable=np.zeros(data.shape, bool))
    axes.imshow(
        colour_pixels(aligned, compute_norm([cutout])),
        origin="lower",
        aspect="auto",
        interpolation="none",
        extent=(low, high, -0.5, data.shape[0] - 0.5),
    )
    axes.set_xticks(spectra.get_xticks(), [])
    axes.set_xlim(low, high)
    for edge in cutout.aperture or ():
        axes.axhline(edge, color=APERTURE_COLOUR, linewidth=0.9, linestyle="--")
    text = "resampled (s2d), with the aperture of the extracted spectrum"
    axes.set_title(text if cutout.aperture else "resampled (s2d)", loc="left", fontsize=8, pad=3.5)


def compute_norm(cutouts: Sequence[Cutout]) -> AsinhNorm:
    """Compute one stretch for all cut-outs, which should have one unit."""
    return compute_stretch([np.where(each.unusable, np.nan, each.data) for each in cutouts])


def colour_pixels(cutout: Cutout, norm: AsinhNorm) -> np.ndarray:
    """Return the colours of a cut-out: grey for values, others for missing or bad values.

    The shape is (rows, columns, 3), the values are from 0 to 1.
    """
    missing = ~np.isfinite(cutout.data)
    values = norm(np.where(missing, 0, cutout.data))
    image: np.ndarray = matplotlib.colormaps[COLOUR_MAP](values)[..., :3]
    image[cutout.unusable] = to_rgb(UNUSABLE_COLOUR)
    image[missing] = to_rgb(NAN_COLOUR)
    return image


def make_header(
    name: str, content: ProductCutouts, sums: Sequence[Spectrum]
) -> tuple[list[str], list[str]]:
    """Write the header: the source; and its product, setting, position and signal-to-noise."""
    source_id, source_name = content.source_id, content.source_name
    title = [f"Source {source_id}", source_name if source_name != source_id else ""]
    visits = find_visits(content.cutouts)
    shown = len(content.cutouts)
    part = f" of the first {shown}" if shown < content.total else ""
    ratio, line = get_signal_to_noise(sums), find_brightest_line(sums)
    has_wavelengths = any(cutout.wavelengths is not None for cutout in content.cutouts)
    place = f" at {line.wavelength:.4f} {WAVELENGTH_UNIT}" if line and has_wavelengths else ""
    words = [
        name,
        content.setting,
        f"{content.total} entries" if content.total > 1 else "1 entry",
        f"exposures {visit}" if len(visits) == 1 and (visit := visits.pop()) else "",
        "RA {:.5f}, Dec {:+.5f}".format(*content.position) if content.position else "",
        f"S/N {ratio:.1f} per pixel{part}" if ratio is not None else "",
        f"line S/N {line.signal_to_noise:.1f}{place}" if line else "",
    ]
    return wrap_words(title, 640, 13, "bold"), wrap_words(words, 670, 8)


def draw_header(figure: Figure, height: float, title: list[str], lines: list[str]) -> None:
    """Draw the header."""
    for number, line in enumerate(title):
        top = 32 + 2 * LINE * number
        figure.text(MARGIN / WIDTH, 1 - top / height, line, fontsize=13, weight="bold")
    for number, line in enumerate(lines):
        top = 54 + 2 * LINE * (len(title) - 1) + (LINE + 1) * number
        figure.text(MARGIN / WIDTH, 1 - top / height, line, color="#444")


def draw_footer(
    figure: Figure, height: float, content: ProductCutouts, norms: Mapping[str, AsinhNorm]
) -> None:
    """Draw the scales and the legend of the colours, and the number of entries not shown."""
    width = 250 / len(norms)
    for number, (unit, norm) in enumerate(norms.items()):
        left = WIDTH - MARGIN - 250 + number * (width + 10)
        box = (left / WIDTH, 1 - 36 / height, (width - 10 * (len(norms) > 1)) / WIDTH, 10 / height)
        bar = figure.add_axes(box)
        scale = figure.colorbar(ScalarMappable(norm, COLOUR_MAP), cax=bar, orientation="horizontal")
        unit, factor = SHOWN_UNITS.get(unit, (unit, 1.0))
        ticks = find_scale_ticks(norm, factor, 0.16 * len(norms))
        bar.minorticks_off()
        scale.set_ticks(ticks, labels=format_ticks([factor * tick for tick in ticks]))
        title = f"SCI, {unit or 'no unit given'}"
        bar.set_title(title, loc="right", fontsize=8, pad=3)
    if handles := make_legend(content.cutouts):
        figure.legend(
            handles=handles, bbox_to_anchor=(MARGIN / WIDTH, 6 / height), ncols=3, borderpad=0,
            handlelength=1, handleheight=1, columnspacing=1.5, **LEGEND,
        )  # fmt: skip
    low, high = PERCENTILES
    note = f"asinh stretch about zero, {low:g} to {high:g} % of the usable pixels shown"
    if hidden := content.total - len(content.cutouts):
        note = f"{hidden} more entries are not shown  ·  {note}"
    figure.text(1 - MARGIN / WIDTH, 12 / height, note, ha="right", va="center", color="#444")


def find_scale_ticks(norm: AsinhNorm, factor: float, distance: float = 0.16) -> list[float]:
    """Find values that are round in the unit shown, and whose labels do not overlap."""
    low, high = norm.inverse(0), norm.inverse(1)
    ticks: list[float] = []
    for tick in np.asarray(MaxNLocator(4).tick_values(factor * low, factor * high))[::-1] / factor:
        if low <= tick <= high and (not ticks or float(norm(ticks[-1]) - norm(tick)) > distance):
            ticks.append(float(tick))
    return ticks[::-1]


def make_legend(cutouts: Sequence[Cutout]) -> list[Patch | Line2D]:
    """Name the colours and marks that occur."""
    handles: list[Patch | Line2D] = []
    missing = [~np.isfinite(cutout.data) for cutout in cutouts]
    if any(plane.any() for plane in missing):
        handles.append(Patch(facecolor=NAN_COLOUR, label="NaN"))
    pairs = zip(cutouts, missing, strict=True)
    if any((cutout.unusable & ~plane).any() for cutout, plane in pairs):
        handles.append(Patch(facecolor=UNUSABLE_COLOUR, label="DO_NOT_USE"))
    if any(cutout.expected_row is not None for cutout in cutouts):
        label = "expected row of the source"
        handles.append(
            Line2D([], [], color=ROW_COLOUR, label=label, marker=5, markersize=5, linestyle="")
        )
    return handles
