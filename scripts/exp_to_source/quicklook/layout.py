"""Where the parts of a picture are, and what its captions say."""

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
#: The sum below the cut-outs: its caption, the plot, its labels.
SUM = (22, 120, 22)
LEAST_HEIGHT, GREATEST_HEIGHT = 28, 240
#: A pixel is not drawn larger than this.
GREATEST_SCALE = 12
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


def lay_out(cutouts: Sequence[Cutout], head: float = HEAD) -> tuple[list[Panel], float]:
    """Position the cut-outs; pixels are square if that is neither too flat nor too tall.

    Parameters
    ----------
    cutouts : sequence of Cutout
        What to draw.
    head : float
        Height of the header, in pixels.

    Returns
    -------
    list of Panel
        One for each cut-out.
    float
        Height of the figure, in pixels.
    """
    captions = make_captions(cutouts)
    columns = math.ceil(len(cutouts) / ROWS)
    rows = math.ceil(len(cutouts) / columns)
    width = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns
    longest = max(cutout.data.shape[1] for cutout in cutouts)
    scale = min(width / longest, GREATEST_SCALE)
    panels = []
    bottom = 0.0
    for column in range(columns):
        top = float(head)
        own = cutouts[column * rows : (column + 1) * rows]
        words = captions[column * rows : (column + 1) * rows]
        for cutout, below, caption in zip(own, [*own[1:], None], words, strict=True):
            lines = wrapped(caption, width, 8)
            top += CAPTION + LINE * (len(lines) - 1)
            height = min(max(cutout.data.shape[0] * scale, LEAST_HEIGHT), GREATEST_HEIGHT)
            labelled = below is None or not same_axis(cutout, below)
            left = MARGIN + column * (width + GAP)
            panels.append(Panel(cutout, left, top, longest * scale, height, lines, labelled))
            top += height + (TICKS if labelled else 0) + 5
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


def wrapped(words: Sequence[str], width: float, size: float, weight: str = "normal") -> list[str]:
    """Break words into lines that are not wider than `width`, and lose nothing.

    Parameters
    ----------
    words : sequence of str
        What `SEPARATOR` stands between, if in one line.
    width : float
        In pixels.
    size : float
        Of the letters, in points.
    weight : str
        Of the font.
    """
    words = [word for word in words if word]
    # Most fit in one line: to measure a text is slow.
    if width_of(line := SEPARATOR.join(words), size, weight) <= width:
        return [line]
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]}{SEPARATOR}{word}" if lines else word
        if width_of(longer, size, weight) <= width:
            lines[-1:] = [longer]
            continue
        lines.append("")
        for letter in word:
            if lines[-1] and width_of(lines[-1] + letter, size, weight) > width:
                lines.append("")
            lines[-1] += letter
    return [line for line in lines if line] or [""]


@cache
def _renderer() -> Any:
    # Matplotlib's renderer comes without types.
    return cast(Any, RendererAgg)(1, 1, DPI)


def width_of(text: str, size: float, weight: str = "normal") -> float:
    """Width of a text in pixels."""
    font = FontProperties(family=FONT, size=size, weight=weight)
    width: float = _renderer().get_text_width_height_descent(text, font, False)[0]
    return width


def visits(cutouts: Sequence[Cutout]) -> set[str]:
    """Program, observation and visit of the exposures, from the beginning of their names."""
    return {match[1] if (match := VISIT.match(cutout.exposure)) else "" for cutout in cutouts}


def make_captions(cutouts: Sequence[Cutout]) -> list[list[str]]:
    """Words above the cut-outs, without what all have in common, which is in the header."""
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
            f"nod {cutout.nod}" if cutout.nod else "",
            "" if one_order else f"order {cutout.order}",
            f"{columns} x {rows} px",
            cutout.unit if not one_unit else "",
            "rows and columns exchanged" if cutout.turned else "",
            "all NaN" if np.isnan(cutout.data).all() else "",
            "no wavelengths" if cutout.wavelengths is None else "",
        ]
        captions.append([word for word in words if word])
    return captions
