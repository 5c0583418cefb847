"""Where the WCS of entries expects the trace of their source, and how they were dithered."""

import contextlib
import copy
import io
import re
import warnings
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from .cutouts import Cutout, ProductCutouts

#: Frames of a WCS, as it names them: that of a slit, and that of a direct image.
SLIT, DETECTOR = "slit_frame", "detector"
#: Columns at which a WCS is evaluated; number of WCS from which those of similar cut-outs do.
COLUMNS, MAX_WCS = 17, 24
#: A larger tree (bytes) is not parsed as a whole: it would take longer than all else.
MAX_TREE_SIZE = 8_000_000
#: Beginning of an entry in a tree, and of what follows the entries; its WCS; its dither position,
#: and the total of these.
ENTRY, END = re.compile(rb"\n-(?= )"), re.compile(rb"\n(?![-\s])")
WCS = re.compile(rb"\n    wcs:.*(?:\n {5}.*)*")
POSITION, TOTAL = (re.compile(rb"\b%s: (\d+)" % k) for k in (b"position_number", b"total_points"))


def add_expected_rows(product: ProductCutouts) -> ProductCutouts:
    """Add trace, expected row and dither position to cut-outs, as far as the tree has them.

    Entries of one slit, by its middle shutter, with the same cut-out of the detector have the WCS
    of the first of them: to read one takes longer than all else. Of very many, cut-outs of one size
    and order share a WCS: each is about its source, within a pixel.
    """
    entries = find_entries(product.tree)
    if len(entries) != product.total:
        return product
    groups: dict[tuple[Any, ...], list[int]] = {}
    similar: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for n, cutout in enumerate(product.cutouts):
        shape, detector = cutout.data.shape, cutout.exposure.rsplit("_", 2)[1:]
        key = (cutout.slit, cutout.shutter, cutout.start, shape, cutout.order, *detector)
        key = key if cutout.start else (n,)
        same = similar.setdefault((shape, cutout.order, cutout.transposed), key)
        groups.setdefault(key if len(groups) < MAX_WCS else same, []).append(n)
    short = shorten_tree(product.tree, entries, {group[0] for group in groups.values()})
    traces: dict[int, np.ndarray | None] = {}
    # Products of other programs may have aliases of what is in other entries.
    whole = [product.tree] if len(product.tree) <= MAX_TREE_SIZE else []
    for tree in (short, *whole):
        # Any reader may fail; draw without the WCS.
        with contextlib.suppress(Exception):
            traces = read_traces(tree, product.cutouts, groups.values())
            break
    cutouts = []
    for n, cutout in enumerate(product.cutouts):
        row = get_expected_row(traces.get(n), cutout)
        nod = format_nod(product.tree[entries[n]])
        cutouts.append(cutout._replace(trace=traces.get(n), expected_row=row, nod=nod))
    return product._replace(cutouts=cutouts)


def find_entries(tree: bytes) -> list[slice]:
    """Find the text of each entry in the tree of a product; nothing in one not in block style."""
    begin = tree.find(b"\nexposures:\n-")
    if begin < 0:
        return []
    begin += len(b"\nexposures:")
    end = match.start() if (match := END.search(tree, begin)) else len(tree)
    starts = [match.start() for match in ENTRY.finditer(tree, begin, end)]
    return [slice(*pair) for pair in zip(starts, [*starts[1:], end], strict=True)]


def shorten_tree(tree: bytes, entries: Sequence[slice], numbers: Collection[int]) -> bytes:
    """Reduce a tree to the WCS of the entries of these numbers: to parse the rest takes long.

    The length is the same, as an index has the offsets of blocks.
    """
    begin, end = tree.find(b"\n", tree.find(b"\n---") + 1), tree.find(b"\n...", entries[-1].stop)
    short = b"\nexposures:"
    for number, entry in enumerate(entries):
        wcs = WCS.search(tree, entry.start, entry.stop) if number in numbers else None
        short += b"\n- meta:" + wcs[0] if wcs else b"\n- meta: {}"
    return tree[:begin] + short.ljust(end - begin, b"\n") + tree[end:]


def read_traces(
    tree: bytes, cutouts: Sequence[Cutout], groups: Iterable[Sequence[int]]
) -> dict[int, np.ndarray | None]:
    """Read the WCS of the first of each group of entries; return the traces by number of entry."""
    import asdf

    # Once for all; the entry points of its extensions are copied with the configuration.
    _ = asdf.get_config().extensions
    traces: dict[int, np.ndarray | None] = {}
    with warnings.catch_warnings(), asdf.config_context() as config:
        # Verify opens products. To validate trees takes five times as long as to read them.
        warnings.simplefilter("ignore")
        config.validate_on_read = False
        with asdf.open(io.BytesIO(tree), lazy_tree=True) as file:
            exposures = file.tree["exposures"]
            for group in groups:
                # Tagged nodes are built as a whole; of plain ones, only what is used.
                entry = exposures.tagged[group[0]] = dict(exposures.tagged[group[0]])
                truncate_wcs(entry["meta"].get("wcs"))
                wcs = exposures[group[0]]["meta"].get("wcs")
                computed = compute_traces(wcs, [cutouts[n] for n in group])
                traces.update(zip(group, computed, strict=True))
    return traces


def truncate_wcs(wcs: Any) -> None:
    """Remove the steps to the sky from a WCS, in plain nodes: most of the time to build it.

    They begin at the frame of the slit, or of a grism at that of the detector.
    """
    for number, step in enumerate(wcs["steps"] if wcs else ()):
        if number and "name" in step["frame"] and step["frame"]["name"] in (SLIT, DETECTOR):
            last = copy.copy(step)
            last["transform"] = None
            wcs["steps"] = [*wcs["steps"][:number], last]
            break


def format_nod(entry: bytes) -> str:
    """Format the position of a dither, of how many, from the text of an entry."""
    position, total = (
        int(match[1]) if (match := key.search(entry)) else 0 for key in (POSITION, TOTAL)
    )
    return (f"{position} of {total}" if total >= position else f"{position}") if position else ""


def compute_traces(wcs: Any, cutouts: Sequence[Cutout]) -> list[np.ndarray | None]:
    """Compute the row at which the source is expected in each column of cut-outs of one WCS.

    As the pipeline does: in a slit, by its position in the slit (SRCXPOS, SRCYPOS), or the middle
    of the slit if it has no source; of a grism, by its position in the direct image, which its WCS
    has. The WCS is evaluated at a few columns, as it takes long.
    """
    rows, columns = cutouts[0].data.shape
    x, y = np.linspace(0, columns - 1, COLUMNS), np.full(COLUMNS, (rows - 1) / 2)
    if cutouts[0].transposed:
        x, y = y, x
    try:
        first, *_, last = wcs.available_frames
        world = [np.tile(values, len(cutouts)) for values in wcs.get_transform(first, last)(x, y)]
        if last == SLIT:
            positions = [cutout.slit_position or (0.0, 0.0) for cutout in cutouts]
            world[:2] = np.repeat(np.array(positions).T, COLUMNS, axis=1)
        pixels = np.array(wcs.get_transform(last, first)(*world)[:2])
    except Exception:
        # gwcs raises many exception types.
        return [None] * len(cutouts)
    if cutouts[0].transposed:
        pixels = pixels[::-1]
    traces: list[np.ndarray | None] = []
    for x, y in pixels.reshape(2, -1, COLUMNS).swapaxes(0, 1):
        valid = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        valid = valid[np.argsort(x[valid])]
        trace = np.interp(np.arange(columns), x[valid], y[valid]) if valid.size else None
        traces.append(trace)
    return traces


def get_expected_row(trace: np.ndarray | None, cutout: Cutout) -> float | None:
    """Return the row of a source in the middle of a cut-out; None without one, or outside."""
    if trace is None or not cutout.slit_position:
        return None
    rows, columns = cutout.data.shape
    row = float(np.interp((columns - 1) / 2, np.arange(columns), trace))
    return row if -0.5 <= row <= rows - 0.5 else None
