"""Simulated exposure-based "cal" products, written by the official data models.

The files have the layout of real ones: planes with ``EXTVER``, an ASDF extension with one true
world coordinate object a slit, the headers of an exposure after stage 2. Their pixels have the
traces of made-up sources, which nods move along slits; background and virtual slits have noise.
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
from gwcs.wcs import WCS
from stdatamodels.jwst.datamodels import SlitModel

from ..errors import InputError
from ..modes import FIXED_SLIT
from ..results import CAL
from .associations import write_association
from .meta import completed, exposure_meta, nod_of, pointing_of, wcsinfo
from .modes import MODES, Mode
from .planes import Trace, simulate_planes
from .saving import save_exposure
from .simulation import FIXED_SLITS, Simulation
from .spectra import make_source
from .wcs import PIXEL_SCALE, Cutout, GrismOptics, NirspecOptics, Optics

#: Columns of the times of integrations.
INT_TIMES = SlitModel().get_dtype("int_times")

#: Where the telescope points.
FIELD = pointing_of(0)


def simulate(simulation: Simulation, folder: Path) -> list[Path]:
    """Write simulated exposures.

    Parameters
    ----------
    simulation : Simulation
        What to simulate.
    folder : pathlib.Path
        Where to write; it is created if necessary.

    Returns
    -------
    list of pathlib.Path
        The files written: exposures by number, then detector; last the association, if any.
    """
    s = simulation
    mode = MODES[s.mode]
    if unknown := {plane for plane, _ in s.absent} - set(mode.planes):
        raise InputError(
            f"{s.mode} has no plane {', '.join(sorted(unknown))}; the planes are "
            f"{', '.join(mode.planes)}"
        )
    if s.shared_wcs and mode.optics is not GrismOptics:
        raise InputError(f"slits of {s.mode} share no steps of their WCS; those of WFSS do")
    elements = mode.elements | dict(s.elements)
    nirspec = mode.instrument == "NIRSPEC"
    if nirspec:
        elements["fixed_slit"] = s.primary_slit if s.mode == "fixed-slit" else "NONE"
    mode = replace(mode, elements=elements, subarray=s.subarray or mode.subarray)
    slits = list(_list_slits(s, mode))
    paths = []
    for number in range(1, s.exposures + 1):
        nod = nod_of(number, PIXEL_SCALE * s.shape[0])
        optics = partial(mode.optics, pointing_of(number, nod), mode.waverange)
        # Before 1.19, all parts of the WCS of a NIRSpec slit were its own.
        shared = None if nirspec and s.pipeline < (1, 19) else optics()
        for detector in s.detectors or (mode.detector,):
            prefix = f"jw{s.program:05}{s.observation:03}001_03101_{number:05}_{detector}"
            path = folder / f"{prefix}{CAL}"
            meta = exposure_meta(
                mode,
                number=number,
                total=s.exposures,
                nod=nod,
                detector=detector,
                program=s.program,
                observation=s.observation,
                version=s.version,
                filename=path.name,
                association=f"jw{s.program:05}-o{s.observation:03}_spec2_00001_asn.json",
            )
            # The seed depends only on the exposure, whatever else is simulated with it.
            rng = np.random.default_rng([s.seed, number, *detector.encode()])
            tree = {
                "meta": meta,
                "cal_logs": {"calwebb_spec2": [f"simulated {prefix}", "stpipe - INFO - done"]},
                "slits": [
                    _slit(s, mode, shared or optics(), nod, meta, rng, slit, position)
                    for position, slit in enumerate(_present(s, slits, number), start=1)
                ],
            }
            if s.shared_wcs:
                _share_steps([slit["meta"]["wcs"] for slit in tree["slits"]])
            paths.append(save_exposure(tree, path))
    if s.association:
        paths.append(write_association(s, mode, paths, folder))
    return paths


def _list_slits(s: Simulation, mode: Mode) -> Iterator[dict[str, Any]]:
    """Yield the attributes of the slits, in order, that are the same in all exposures."""
    ids = s.source_ids or tuple(range(mode.first_id, mode.first_id + s.sources))
    if s.mode == "fixed-slit":
        for name in s.fixed_slits or FIXED_SLITS:
            yield {
                "name": name,
                "shutter_id": FIXED_SLITS.index(name),
                "source_id": _fixed_slit_id(name, s),
            }
    elif s.mode == "mos":
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
        for number, name in enumerate(s.fixed_slits, start=1):
            source_id = max(ids, default=0) + number
            yield {
                "name": name,
                "slitlet_id": FIXED_SLITS.index(name),
                "shutter_id": FIXED_SLITS.index(name),
                "quadrant": 5,
                "xcen": 0,
                "ycen": 0,
                "shutter_state": "x",
                "source_id": source_id,
                "source_name": f"{s.program}_{source_id}",
                "source_alias": str(source_id),
                "stellarity": 1.0,
            }
    else:
        for source_id in ids:
            for order in s.orders:
                yield {"name": str(source_id), "source_id": source_id, "order": order}


def _fixed_slit_id(name: str, s: Simulation) -> int:
    """Return the source identifier of a fixed slit by the rule of the calibration version."""
    number = 1 + FIXED_SLITS.index(name)
    if s.pipeline < (1, 12):
        return number
    return 1 if name == s.primary_slit else 10 * (1 + FIXED_SLITS.index(s.primary_slit)) + number


def _present(
    s: Simulation, slits: list[dict[str, Any]], number: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the slits of exposure `number`, each with its index among all."""
    # A background slitlet may have the identifier of a source, but never its name.
    names = [slit.get("source_name", slit["source_id"]) for slit in slits]
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    middle = len(places) // 2
    for index, slit in enumerate(slits):
        source = places[names[index]]
        # Each other source is left out of one exposure up to all but one, in turn.
        left_out = 1 + source % max(1, s.exposures - 1)
        everywhere = s.overlap == "full" or s.exposures == 1 or source == middle
        if everywhere or (number + source) % s.exposures >= left_out:
            yield index, slit


def _slit(
    s: Simulation,
    mode: Mode,
    optics: Optics,
    nod: float,
    exposure: dict[str, Any],
    rng: np.random.Generator,
    place: tuple[int, dict[str, Any]],
    position: int,
) -> AsdfObject:
    """Return one entry of ``slits``: attributes, planes and metadata."""
    index, attributes = place
    order = attributes.get("order", 1)
    rows, columns = s.shape
    shape = rows + index % 3, columns + 4 * (index % 5)
    cutout = Cutout(x=20 + 37 * index % 1500, y=10 + 11 * index % 1900, shape=shape, order=order)
    source = make_source(s.seed, attributes["source_id"], mode.waverange)
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
        "date": exposure["observation"]["date_beg"],
        "model_type": "SlitModel",
        "photometry": photometry,
        "wcs": optics.wcs(cutout),
        "wcsinfo": wcsinfo(mode, optics.pointing, order),
    }
    planes = mode.planes
    sky = {
        "source_ra": FIELD.ra + source.ra / math.cos(math.radians(FIELD.dec)),
        "source_dec": FIELD.dec + source.dec,
    }
    slit = {
        "xstart": cutout.x + 1,
        "xsize": shape[1],
        "ystart": cutout.y + 1,
        "ysize": shape[0],
        "source_type": "EXTENDED" if extended else "POINT",
        # The place of the source of a fixed slit is not known.
        **({} if s.mode == "fixed-slit" else sky),
        "source_xpos": 0.01 * (index % 20),
        "source_ypos": -0.02 * (index % 10) + nod / NirspecOptics.SHUTTER,
        **{key: value for key, value in attributes.items() if key != "order"},
    }
    if isinstance(optics, GrismOptics):
        slit["is_extended"] = extended
        slit["source_xpos"], slit["source_ypos"] = cutout.center
    else:
        slit |= {
            "slit_ymin": -0.55,
            "slit_ymax": 0.55,
            "wavelength_corrected": not extended,
            "pathloss_correction_type": "UNIFORM" if extended else "POINT",
            "barshadow_corrected": extended,
        }
        if s.mode == "mos":
            slit |= {
                "slit_xscale": 1.35,
                "slit_yscale": 1.15,
                "dither_position": exposure["dither"]["position_number"],
            }
        if s.pipeline < (2, 0):
            slit["int_times"] = np.empty(0, INT_TIMES)
        # extract_2d gives NIRSpec slits all metadata that the exposure then has.
        meta = copy.deepcopy(exposure) | {"coordinates": {"reference_frame": "ICRS"}} | meta
        meta["cal_step"] = completed(mode.steps.partition(" extract_2d")[0])
        if slit["name"] in FIXED_SLITS:
            meta["exposure"]["type"] = FIXED_SLIT
            planes = tuple(plane for plane in planes if plane != "barshadow")
    row = (shape[0] - 1) / 2
    if not isinstance(optics, GrismOptics):
        row += slit["source_ypos"] * NirspecOptics.SHUTTER / PIXEL_SCALE
    has_light = attributes.get("stellarity") != 0
    width = source.size * (1.8 if extended else 1)
    trace = Trace(source, row, width, share=1 / order**2) if has_light else None
    microjansky = 1e-12 / (photometry["pixelarea_steradians"] if extended else 1)
    pixels = simulate_planes(rng, shape, mode.waverange, trace, microjansky)
    absent = {plane for plane, slit_number in s.absent if slit_number == position}
    slit |= {plane: pixels[plane] for plane in planes if plane not in absent}
    return AsdfObject(slit | {"meta": meta})


def _share_steps(wcses: list[WCS]) -> None:
    """Make WCSs share all steps except their first."""
    for wcs in wcses:
        wcs.pipeline[1:] = wcses[0].pipeline[1:]
