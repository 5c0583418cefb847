"""Where the WCS of entries expects their source, and how they were dithered."""

import copy
import io
import warnings
from typing import Any

import numpy as np

from .cutouts import Cutout, Entries

#: Frame of a slit, as its WCS names it.
SLIT = "slit_frame"


def with_rows(entries: Entries) -> Entries:
    """Add expected row and dither position to cut-outs, as far as the product's tree has them."""
    import asdf

    # Once for all; what it takes to find them is copied with the configuration.
    _ = asdf.get_config().extensions
    with warnings.catch_warnings(), asdf.config_context() as config:
        # Verify opens products. To validate trees takes five times as long as to read them.
        warnings.simplefilter("ignore")
        config.validate_on_read = False
        try:
            with asdf.open(io.BytesIO(entries.tree), lazy_tree=True) as file:
                exposures = file.tree["exposures"]
                for n in range(len(entries.cutouts)):
                    # What is tagged is built as a whole; of the rest, only what is asked for.
                    exposures.tagged[n] = dict(exposures.tagged[n])
                    shorten(exposures.tagged[n]["meta"].get("wcs"))
                metas = [exposures[n]["meta"] for n in range(len(entries.cutouts))]
                cutouts = [
                    cutout._replace(row=expected_row(meta, cutout), nod=nod_of(meta))
                    for cutout, meta in zip(entries.cutouts, metas, strict=True)
                ]
        except Exception:
            # Of many kinds; without its tree, a product can still be looked at.
            return entries
    return entries._replace(cutouts=cutouts)


def shorten(wcs: Any) -> None:
    """Cut the steps from slit to sky off a WCS, in plain nodes: most of what it takes to build it.

    The WCS of a grism, and none at all, are left as they are.
    """
    for number, step in enumerate(wcs["steps"] if wcs else ()):
        if "name" in step["frame"] and step["frame"]["name"] == SLIT:
            last = copy.copy(step)
            last["transform"] = None
            wcs["steps"] = [*wcs["steps"][:number], last]
            break


def nod_of(meta: Any) -> str:
    """Position of a dither, of how many."""
    dither = meta.get("dither") or {}
    position, total = dither.get("position_number"), dither.get("total_points")
    if not isinstance(position, int):
        return ""
    return (
        f"{position} of {total}" if isinstance(total, int) and total >= position else str(position)
    )


def expected_row(meta: Any, cutout: Cutout) -> float | None:
    """Row at which the source is expected in the middle of a cut-out.

    As the pipeline does: in a slit, by its place in the slit (SRCXPOS, SRCYPOS); of a grism, by its
    place in the direct image, which its WCS has. Slits without a source have none.
    """
    if not cutout.place:
        return None
    rows, columns = cutout.data.shape
    x, y = (columns - 1) / 2, (rows - 1) / 2
    if cutout.turned:
        x, y = y, x
    try:
        wcs = meta["wcs"]
        if SLIT in wcs.available_frames:
            *_, wavelength = wcs.get_transform("detector", SLIT)(x, y)
            found = wcs.get_transform(SLIT, "detector")(*cutout.place, wavelength)
        else:
            found = wcs.invert(*wcs(x, y), with_bounding_box=False)
    except Exception:
        # Transforms fail in as many ways as there are of them.
        return None
    row = float(found[0] if cutout.turned else found[1])
    return row if np.isfinite(row) and -0.5 <= row <= rows - 0.5 else None
