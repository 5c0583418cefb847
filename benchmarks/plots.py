"""Results as plots: wall time and memory against the number of sources, and of exposures."""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from growth import Growth, fit_growth
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator

#: Name, color (told apart by color-blind eyes, too), and figure of a size, if it has that.
Series = tuple[str, str, Callable[[dict[str, Any]], float | None]]
OFFICIAL = "#d55e00"
NAMES = {
    "mos": "NIRSpec MOS",
    "flight": "NIRSpec MOS, slits of flight",
    "fs": "NIRSpec fixed slits",
    "wfss": "NIRCam WFSS",
}


def _step(name: str) -> Callable[[dict[str, Any]], float]:
    return lambda size: size["steps"][name]["max"]["memory"] / 1e6


def _official(key: str, unit: float) -> Callable[[dict[str, Any]], float | None]:
    return lambda size: size["official"][key] / unit if "official" in size else None


def _cold(cores: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda size: size["cold"][cores]["median"]["wall"] if cores in size["cold"] else None


WALL: list[Series] = [
    ("official", OFFICIAL, _official("wall", 1)),
    ("workflow, 1 core", "#56b4e9", _cold("1")),
    ("workflow, 2 cores", "#0072b2", _cold("2")),
    ("cp of the exposures", "#999999", lambda size: size["cp"]["median"]["wall"]),
]
MEMORY: list[Series] = [
    ("official", OFFICIAL, _official("memory", 1e6)),
    ("workflow, largest process", "#cc79a7", lambda size: size["cold"]["2"]["max"]["memory"] / 1e6),
    ("index_exposure", "#0072b2", _step("index_exposure")),
    ("list_sources", "#009e73", _step("list_sources")),
    ("gather_source", "#e69f00", _step("gather_source")),
]


def plot_all(sizes: dict[str, Any], folder: Path) -> None:
    """Write ``sources.png`` and ``exposures.png``, of the modes with several sizes.

    Parameters
    ----------
    sizes : dict
        Results by size.
    folder : pathlib.Path
        Where to write.
    """
    measured = [size for size in sizes.values() if "cold" in size]
    counts = Counter(size["mode"] for size in measured)
    measured = [size for size in measured if counts[size["mode"]] > 1]
    growth = fit_growth(sizes)
    if measured:
        _plot(measured, growth, "sources", "exposures", folder / "sources.png")
        _plot(measured, growth, "exposures", "sources", folder / "exposures.png")


def _plot(
    sizes: list[dict[str, Any]], growth: dict[str, Growth], along: str, fixed: str, path: Path
) -> None:
    """Plot wall time and memory, a column of plots for each mode."""
    modes = list(dict.fromkeys(size["mode"] for size in sizes))
    figure, axes = plt.subplots(
        2,
        len(modes),
        figsize=(1.5 + 4.5 * len(modes), 8),
        sharex="col",
        sharey="row",
        squeeze=False,
        layout="constrained",
    )
    for column, mode in zip(axes.T, modes, strict=True):
        own = [size for size in sizes if size["mode"] == mode]
        for ax, series in zip(column, (WALL, MEMORY), strict=True):
            _draw(ax, own, series, along, fixed)
        if mode in growth:
            _extrapolate(column, own, growth[mode], along, fixed)
        column[0].set_title(NAMES[mode])
        column[1].set_xlabel(f"number of {along}")
        ticks = sorted({size[along] for size in own})
        column[1].set_xticks(ticks, list(map(str, ticks)))
        column[1].minorticks_off()
        column[1].set_xlim(ticks[0] / 1.4, ticks[-1] * 1.8)
    for row, label in zip(axes, ("wall time (s)", "peak memory of a process (MB)"), strict=True):
        row[0].set_ylabel(label)
        handles = {}
        for ax in row:
            handles |= dict(zip(*ax.get_legend_handles_labels()[::-1], strict=True))
        row[-1].legend(handles.values(), handles, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _draw(
    ax: Axes, sizes: list[dict[str, Any]], series: list[Series], along: str, fixed: str
) -> None:
    """Draw each figure, its points joined where the other number is the same."""
    # Both, as shared axes and few points leave one kind of ticks without labels.
    ax.set(xscale="log", yscale="log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.grid(alpha=0.3)
    for name, color, figure in series:
        for group in _groups(sizes, along, fixed):
            points = [(s[along], value) for s in group if (value := figure(s)) is not None]
            if points:
                ax.plot(*zip(*points, strict=True), "o-", color=color, label=name, ms=4.5)
                _annotate(ax, f"{group[0][fixed]} {fixed}", points[-1], color)


def _groups(sizes: list[dict[str, Any]], along: str, fixed: str) -> list[list[dict[str, Any]]]:
    """Sizes that have the other number in common, in order."""
    ordered = sorted(sizes, key=lambda size: (size[fixed], size[along]))
    return [list(group) for _, group in groupby(ordered, key=lambda size: size[fixed])]


def _extrapolate(
    axes: Iterable[Axes], sizes: list[dict[str, Any]], growth: Growth, along: str, fixed: str
) -> None:
    """Draw the fitted growth of the official path, marked where it was not run."""
    every = sorted({size[along] for size in sizes})
    for group in _groups(sizes, along, fixed):
        unknown = [size[along] for size in group if "official" not in size]
        if not unknown:
            continue
        for ax, figure, unit in zip(axes, (growth.wall, growth.memory), (1, 1e6), strict=True):
            fitted = {x: figure(**{along: x, fixed: group[0][fixed]}) / unit for x in every}
            ax.plot(
                *zip(*fitted.items(), strict=True),
                "o--",
                color=OFFICIAL,
                mfc="white",
                ms=4.5,
                lw=1,
                markevery=[every.index(x) for x in unknown],
                label="official, extrapolated",
            )
            _annotate(ax, f"{group[0][fixed]} {fixed}", (every[-1], fitted[every[-1]]), OFFICIAL)


def _annotate(ax: Axes, text: str, point: tuple[float, float], color: str) -> None:
    """Write beside the last point of a line what it stands for."""
    style: dict[str, Any] = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
    ax.annotate(text, point, fontsize=6, color=color, **style)
