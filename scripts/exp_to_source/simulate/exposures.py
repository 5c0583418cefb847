"""Simulated exposure-based "cal" products, written by the official data models.

The files have the layout of real ones: image extensions with ``EXTVER``, an ASDF extension with a
real WCS object for each slit, the headers of an exposure after stage 2. The pixels have the traces
of artificial sources, which nods move along slits; background and virtual slits have noise.
"""

import copy
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from asdf.tags.core import AsdfObject
from stdatamodels.jwst.datamodels import SlitModel

from ..errors import InputError
from ..modes import FIXED_SLIT, FIXED_SLIT_IDS
from ..results import CAL
from .images import Trace, simulate_images, simulate_source
from .meta import build_meta, build_wcsinfo, complete_steps, compute_nod, compute_pointing
from .modes import FIXED_SLITS, MODES, SimulatedMode, Simulation
from .saving import save_exposure, write_association
from .wcs import PIXEL_SCALE, DetectorRegion, GrismOptics, NirspecOptics

#: Columns of the table of integration times.
INT_TIMES = SlitModel().get_dtype("int_times")

#: Center of the field.
FIELD = compute_pointing(0)


def simulate(s: Simulation, folder: Path) -> list[Path]:
    """Write simulated exposures to a folder, which is created if necessary.

    Returns the paths written: exposures by number, then detector; last the association, if any.
    """
    mode = MODES[s.mode]
    if unknown := {name for name, _ in s.absent} - set(mode.images):
        raise InputError(
            f"{s.mode} has no image {', '.join(sorted(unknown))}; choose from "
            f"{', '.join(mode.images)}"
        )
    if s.shared_wcs and not mode.is_grism:
        raise InputError(f"slits of {s.mode} share no steps of their WCS; those of WFSS do")
    elements = mode.elements | dict(s.elements)
    if not mode.is_grism:
        elements["fixed_slit"] = s.primary_slit if s.mode == "fixed-slit" else "NONE"
    mode = replace(mode, elements=elements, subarray=s.subarray or mode.subarray)
    slits = list(_list_slits(s, mode))
    paths = []
    for number in range(1, s.exposures + 1):
        nod = compute_nod(number, PIXEL_SCALE * s.shape[0])
        optics = partial(
            GrismOptics if mode.is_grism else NirspecOptics,
            compute_pointing(number, nod),
            mode.waverange,
        )
        # Before 1.19, NIRSpec slits shared no part of their WCS.
        shared = optics() if mode.is_grism or s.pipeline >= (1, 19) else None
        for detector in s.detectors or (mode.detector,):
            prefix = f"jw{s.program:05}{s.observation:03}001_03101_{number:05}_{detector}"
            path = folder / f"{prefix}{CAL}"
            meta = build_meta(s, mode, number, nod, detector, path.name)
            # The seed depends only on the exposure, whatever else is simulated with it.
            rng = np.random.default_rng([s.seed, number, *detector.encode()])
            tree = {
                "meta": meta,
                "cal_logs": {"calwebb_spec2": [f"simulated {prefix}", "stpipe - INFO - done"]},
                "slits": [
                    _build_slit(s, mode, shared or optics(), nod, meta, rng, index, extver, slit)
                    for extver, (index, slit) in enumerate(_select_slits(s, slits, number), start=1)
                ],
            }
            if s.shared_wcs:
                first, *others = (slit["meta"]["wcs"] for slit in tree["slits"])
                for wcs in others:
                    wcs.pipeline[1:] = first.pipeline[1:]
            paths.append(save_exposure(tree, path))
    if s.association:
        paths.append(write_association(s, mode, paths, folder))
    return paths


def _list_slits(s: Simulation, mode: SimulatedMode) -> Iterator[dict[str, Any]]:
    """Yield the attributes of slits that are the same in all exposures."""
    ids = s.source_ids or tuple(range(mode.first_id, mode.first_id + s.sources))
    if mode.is_grism:
        for id_ in ids:
            for order in s.orders:
                yield {"name": str(id_), "source_id": id_, "order": order}
    elif s.mode == "fixed-slit":
        for name in s.fixed_slits or FIXED_SLITS:
            # The rule of the calibration version.
            id_ = FIXED_SLIT_IDS[name]
            if s.pipeline >= (1, 12):
                primary = FIXED_SLIT_IDS[s.primary_slit]
                id_ = 1 if name == s.primary_slit else 10 * primary + id_
            yield {"name": name, "shutter_id": FIXED_SLITS.index(name), "source_id": id_}
    else:
        sources = (
            *((id_, f"{s.program}_{id_}", str(id_)) for id_ in ids),
            *((None, f"{s.program}_BKG", "BKG") for _ in range(s.background)),
            *((-number, f"{s.program}_VRT", "VRT") for number in range(1, s.virtual + 1)),
        )
        for slitlet, (source_id, name, alias) in enumerate(sources, start=1):
            real = source_id is not None and source_id > 0
            yield {
                "name": str(slitlet),
                "slitlet_id": slitlet,
                "shutter_id": 365 * (slitlet + 20) + 100,
                "quadrant": 1 + slitlet % 4,
                "xcen": 100,
                "ycen": slitlet + 21,
                "shutter_state": "1x1",
                "source_id": slitlet if source_id is None else source_id,
                "source_name": name if real else f"{name}{slitlet}",
                "source_alias": alias if real else f"{alias}{slitlet}",
                "stellarity": 0.8 if real else 0.0,
                **({} if real else {"source_ra": 0.0, "source_dec": 0.0}),
            }
        for source_id, name in enumerate(s.fixed_slits, start=max(ids, default=0) + 1):
            yield {
                **{"name": name, "quadrant": 5, "xcen": 0, "ycen": 0},
                **dict.fromkeys(("slitlet_id", "shutter_id"), FIXED_SLITS.index(name)),
                "shutter_state": "x",
                "source_id": source_id,
                "source_name": f"{s.program}_{source_id}",
                "source_alias": str(source_id),
                "stellarity": 1.0,
            }


def _select_slits(
    s: Simulation, slits: list[dict[str, Any]], number: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the slits of exposure `number`, each with its index among all."""
    # A background slitlet may have the identifier of a source, but never its name.
    names = [slit.get("source_name", slit["source_id"]) for slit in slits]
    sources = {name: source for source, name in enumerate(dict.fromkeys(names))}
    for index, (slit, name) in enumerate(zip(slits, names, strict=True)):
        source = sources[name]
        # Each source but the middle one is left out of one exposure up to all but one, in turn.
        left_out = 1 + source % max(1, s.exposures - 1)
        in_all = s.overlap == "full" or s.exposures == 1 or source == len(sources) // 2
        if in_all or (number + source) % s.exposures >= left_out:
            yield index, slit


def _build_slit(
    s: Simulation,
    mode: SimulatedMode,
    optics: NirspecOptics | GrismOptics,
    nod: float,
    exposure_meta: dict[str, Any],
    rng: np.random.Generator,
    index: int,
    extver: int,
    attributes: dict[str, Any],
) -> AsdfObject:
    """Return one entry of ``slits``: attributes, images and metadata."""
    order = attributes.get("order", 1)
    rows, columns = s.shape
    shape = rows + index % 3, columns + 4 * (index % 5)
    region = DetectorRegion(20 + 37 * index % 1500, 10 + 11 * index % 1900, shape, order)
    source = simulate_source(s.seed, attributes["source_id"], mode.waverange)
    extended = index % 2 == 1
    photometry = {
        "conversion_megajanskys": 1.0 + 0.01 * index,
        "conversion_microjanskys": 23.5 * (1.0 + 0.01 * index),
        "pixelarea_steradians": 4.8e-13,
        "pixelarea_arcsecsq": 0.0204,
    }
    meta = {
        "bunit_data": "MJy/sr" if extended else "MJy",
        "bunit_err": "MJy/sr" if extended else "MJy",
        "date": exposure_meta["observation"]["date_beg"],
        "model_type": "SlitModel",
        "photometry": photometry,
        "wcs": optics.build_wcs(region),
        "wcsinfo": build_wcsinfo(mode, optics.pointing, order),
    }
    slit = {
        "xstart": region.x + 1,
        "xsize": shape[1],
        "ystart": region.y + 1,
        "ysize": shape[0],
        "source_type": "EXTENDED" if extended else "POINT",
        "source_ra": FIELD.ra + source.ra / math.cos(math.radians(FIELD.dec)),
        "source_dec": FIELD.dec + source.dec,
        "source_xpos": 0.01 * (index % 20),
        "source_ypos": -0.02 * (index % 10) + nod / NirspecOptics.SHUTTER,
        **attributes,
    }
    slit.pop("order", None)
    images = mode.images
    row = (shape[0] - 1) / 2
    if mode.is_grism:
        slit["is_extended"] = extended
        slit["source_xpos"], slit["source_ypos"] = region.center
    else:
        row += slit["source_ypos"] * NirspecOptics.SHUTTER / PIXEL_SCALE
        slit |= {
            "slit_ymin": -0.55,
            "slit_ymax": 0.55,
            "wavelength_corrected": not extended,
            "pathloss_correction_type": "UNIFORM" if extended else "POINT",
            "barshadow_corrected": extended,
        }
        if s.mode == "fixed-slit":
            # The pipeline does not know the position of the source.
            del slit["source_ra"], slit["source_dec"]
        else:
            slit |= {
                "slit_xscale": 1.35,
                "slit_yscale": 1.15,
                "dither_position": exposure_meta["dither"]["position_number"],
            }
        if s.pipeline < (2, 0):
            slit["int_times"] = np.empty(0, INT_TIMES)
        # extract_2d gives NIRSpec slits all metadata that the exposure then has.
        meta = copy.deepcopy(exposure_meta) | {"coordinates": {"reference_frame": "ICRS"}} | meta
        meta["cal_step"] = complete_steps(mode.steps[: mode.steps.index("extract_2d")])
        if slit["name"] in FIXED_SLITS:
            meta["exposure"]["type"] = FIXED_SLIT
            images = [name for name in images if name != "barshadow"]
    width = source.size * (1.8 if extended else 1)
    has_light = attributes.get("stellarity") != 0
    trace = Trace(source, row, width, share=1 / order**2) if has_light else None
    microjansky = 1e-12 / (photometry["pixelarea_steradians"] if extended else 1)
    simulated = simulate_images(rng, shape, mode.waverange, trace, microjansky)
    slit |= {name: simulated[name] for name in images if (name, extver) not in s.absent}
    return AsdfObject(slit | {"meta": meta})
