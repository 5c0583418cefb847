"""Positions of the parts of a picture, and its captions."""

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from .cutouts import Cutout

#: Maximum number of cut-outs per column, and of columns; a note counts the others.
ROWS, COLUMNS = 12, 3

#: Sizes in pixels.
DPI = 100
WIDTH, MARGIN, GAP = 1000, 24, 20
HEAD, FOOT, CAPTION, TICKS = 72, 34, 19, 20
#: Another line of a caption.
LINE = 12
#: The spectrum below the cut-outs: its caption, the plot, its labels.
SPECTRUM = (22, 120, 22)
#: The resampled cut-out above the spectrum: its height, and the caption below it.
RESAMPLED = (60, 22)
MIN_HEIGHT, MAX_HEIGHT = 28, 240
#: A pixel is not drawn larger than this.
MAX_SCALE = 12
SEPARATOR = "  ·  "
FONT = "DejaVu Sans"
#: Prefix of names of exposures: program, observation, visit.
VISIT = re.compile(r"(jw[0-9]{11})_")


class Panel(NamedTuple):
    """Position of a cut-out, in pixels from the top left, and the lines of its caption."""

    cutout: Cutout
    left: float
    top: float
    width: float
    height: float
    caption: list[str]
    labelled: bool


def lay_out_panels(cutouts: Sequence[Cutout], head: float = HEAD) -> tuple[list[Panel], float]:
    """Position the cut-outs below a header of a height; return the height of the figure, too.

    Pixels are square if that is neither too flat nor too tall.
    """
    captions = make_captions(cutouts)
    columns = math.ceil(len(cutouts) / ROWS)
    rows = math.ceil(len(cutouts) / columns)
    width = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns
    longest = max(cutout.data.shape[1] for cutout in cutouts)
    scale = min(width / longest, MAX_SCALE)
    panels: list[Panel] = []
    top = bottom = 0.0
    for n, (cutout, caption) in enumerate(zip(cutouts, captions, strict=True)):
        column, row = divmod(n, rows)
        top = top if row else head
        is_last = row == rows - 1 or n == len(cutouts) - 1
        labelled = is_last or not have_same_axis(cutout, cutouts[n + 1])
        lines = wrap_words(caption, width, 8)
        top += CAPTION + LINE * (len(lines) - 1)
        height = min(max(cutout.data.shape[0] * scale, MIN_HEIGHT), MAX_HEIGHT)
        left = MARGIN + column * (width + GAP)
        panels.append(Panel(cutout, left, top, longest * scale, height, lines, labelled))
        top += height + (TICKS if labelled else 0) + 5
        bottom = max(bottom, top)
    return panels, round(bottom + FOOT)


def have_same_axis(one: Cutout, other: Cutout) -> bool:
    """Compare the wavelengths of two cut-outs, to within half a pixel."""
    if one.data.shape[1] != other.data.shape[1]:
        return False
    if one.wavelengths is None or other.wavelengths is None:
        return one.wavelengths is other.wavelengths
    valid = np.isfinite(one.wavelengths) & np.isfinite(other.wavelengths)
    if not valid.any() or (valid != np.isfinite(one.wavelengths)).any():
        return False
    step = np.ptp(one.wavelengths[valid]) / max(valid.sum() - 1, 1)
    return bool(np.abs(one.wavelengths - other.wavelengths)[valid].max() <= step / 2)


def wrap_words(
    words: Sequence[str], width: float, size: float, weight: str = "normal"
) -> list[str]:
    """Break words into lines not wider than `width` pixels, without loss; a long word is broken.

    `SEPARATOR` stands between words of a line. The size of the font is in points.
    """
    words = [word for word in words if word]
    # Most fit in one line: to measure a text is slow.
    if measure_width(line := SEPARATOR.join(words), size, weight) <= width:
        return [line]
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]}{SEPARATOR}{word}" if lines else word
        if measure_width(longer, size, weight) <= width:
            lines[-1:] = [longer]
            continue
        lines.append("")
        for letter in word:
            if lines[-1] and measure_width(lines[-1] + letter, size, weight) > width:
                lines.append("")
            lines[-1] += letter
    return lines


@cache
def _renderer() -> Any:
    # Matplotlib's renderer comes without types.
    return cast(Any, RendererAgg)(1, 1, DPI)


def measure_width(text: str, size: float, weight: str = "normal") -> float:
    """Measure the width of a text in pixels."""
    font = FontProperties(family=FONT, size=size, weight=weight)
    width: float = _renderer().get_text_width_height_descent(text, font, False)[0]
    return width


def find_visits(cutouts: Sequence[Cutout]) -> set[str]:
    """Return program, observation and visit of the exposures, from the prefix of their names."""
    return {match[1] if (match := VISIT.match(cutout.exposure)) else "" for cutout in cutouts}


def make_captions(cutouts: Sequence[Cutout]) -> list[list[str]]:
    """Write the captions of cut-outs, without what all have in common, which is in the header."""
    one_visit = len(find_visits(cutouts)) == 1
    one_order = {cutout.order for cutout in cutouts} <= {None, 1}
    one_unit = len({cutout.unit for cutout in cutouts}) == 1
    captions = []
    for cutout in cutouts:
        name = cutout.exposure.removesuffix("_cal").removesuffix("_mbsub")
        rows, columns = cutout.data.shape
        words = [
            f"{cutout.number}  {VISIT.sub('', name) if one_visit else name}".strip(),
            f"slit {cutout.slit}" if cutout.slit else "",
            f"nod {cutout.nod}" if cutout.nod else "",
            "" if one_order else f"order {cutout.order}",
            f"{columns} x {rows} px",
            cutout.unit if not one_unit else "",
            "rows and columns exchanged" if cutout.transposed else "",
            "all NaN" if np.isnan(cutout.data).all() else "",
            "no wavelengths" if cutout.wavelengths is None else "",
        ]
        captions.append([word for word in words if word])
    return captions
