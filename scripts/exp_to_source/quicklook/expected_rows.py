"""Where the WCS of entries expects the trace of their source, and how they were dithered."""

import copy
import io
import warnings
from typing import Any

import numpy as np

from .cutouts import Cutout, ProductCutouts

#: Frame of a slit, as its WCS names it.
SLIT = "slit_frame"
#: Columns at which a WCS is evaluated.
COLUMNS = 17


def add_expected_rows(product: ProductCutouts) -> ProductCutouts:
    """Add expected row and dither position to cut-outs, as far as the product's tree has them."""
    import asdf

    # Once for all; the entry points of its extensions are copied with the configuration.
    _ = asdf.get_config().extensions
    with warnings.catch_warnings(), asdf.config_context() as config:
        # Verify opens products. To validate trees takes five times as long as to read them.
        warnings.simplefilter("ignore")
        config.validate_on_read = False
        try:
            with asdf.open(io.BytesIO(product.tree), lazy_tree=True) as file:
                exposures = file.tree["exposures"]
                cutouts = []
                for n, cutout in enumerate(product.cutouts):
                    # Tagged nodes are built as a whole; of plain ones, only what is used.
                    exposures.tagged[n] = dict(exposures.tagged[n])
                    truncate_wcs(exposures.tagged[n]["meta"].get("wcs"))
                    meta = exposures[n]["meta"]
                    trace = compute_trace(meta, cutout)
                    row = get_expected_row(trace, cutout)
                    cutouts.append(
                        cutout._replace(trace=trace, expected_row=row, nod=format_nod(meta))
                    )
        except Exception:
            # Any reader may fail; draw without the WCS.
            return product
    return product._replace(cutouts=cutouts)


def truncate_wcs(wcs: Any) -> None:
    """Remove the steps from slit to sky from a WCS, in plain nodes: most of the time to build it.

    The WCS of a grism, and none at all, are left as they are.
    """
    for number, step in enumerate(wcs["steps"] if wcs else ()):
        if "name" in step["frame"] and step["frame"]["name"] == SLIT:
            last = copy.copy(step)
            last["transform"] = None
            wcs["steps"] = [*wcs["steps"][:number], last]
            break


def format_nod(meta: Any) -> str:
    """Format the position of a dither, of how many."""
    dither = meta.get("dither") or {}
    position, total = dither.get("position_number"), dither.get("total_points")
    if not isinstance(position, int):
        return ""
    return (
        f"{position} of {total}" if isinstance(total, int) and total >= position else f"{position}"
    )


def compute_trace(meta: Any, cutout: Cutout) -> np.ndarray | None:
    """Compute the row at which the source is expected in each column of a cut-out.

    As the pipeline does: in a slit, by its position in the slit (SRCXPOS, SRCYPOS), or the middle
    of the slit if it has no source; of a grism, by its position in the direct image, which its WCS
    has. The WCS is evaluated at a few columns, as it takes long.
    """
    rows, columns = cutout.data.shape
    x, y = np.linspace(0, columns - 1, COLUMNS), np.full(COLUMNS, (rows - 1) / 2)
    if cutout.transposed:
        x, y = y, x
    try:
        wcs = meta["wcs"]
        if SLIT in wcs.available_frames:
            *_, wavelengths = wcs.get_transform("detector", SLIT)(x, y)
            position = (np.full(COLUMNS, p) for p in cutout.slit_position or (0.0, 0.0))
            pixels = wcs.get_transform(SLIT, "detector")(*position, wavelengths)
        else:
            pixels = wcs.invert(*wcs(x, y), with_bounding_box=False)
    except Exception:
        # gwcs raises many exception types.
        return None
    x, y = pixels[1::-1] if cutout.transposed else pixels[:2]
    valid = np.isfinite(x) & np.isfinite(y)
    if not valid.any():
        return None
    order = np.argsort(x[valid])
    trace: np.ndarray = np.interp(np.arange(columns), x[valid][order], y[valid][order])
    return trace


def get_expected_row(trace: np.ndarray | None, cutout: Cutout) -> float | None:
    """Return the row of a source in the middle of a cut-out; None without one, or outside."""
    if trace is None or not cutout.slit_position:
        return None
    rows, columns = cutout.data.shape
    row = float(np.interp((columns - 1) / 2, np.arange(columns), trace))
    return row if -0.5 <= row <= rows - 0.5 else None
