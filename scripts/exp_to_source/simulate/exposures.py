"""Simulated exposure-based "cal" products, written by the official data models.

The files have the layout of real ones: image extensions with ``EXTVER``, an ASDF extension with a
real WCS object for each slit, the headers of an exposure after stage 2. The pixels have the traces
of artificial sources, which nods move along slits; background and virtual slits have noise.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from asdf.tags.core import AsdfObject
from gwcs.wcs import WCS
from stdatamodels.jwst.datamodels import SlitModel

from ..errors import InputError
from ..modes import FIXED_SLIT
from ..results import CAL
from .images import Look, Trace, simulate_images, simulate_source
from .meta import build_meta, build_wcsinfo, complete_steps, compute_nod, compute_pointing
from .modes import FIXED_SLITS, MODES, SHAPE, SimulatedMode, Simulation
from .saving import save_exposure, write_association
from .slits import choose_shape, is_extended, list_slits, select_slits
from .wcs import (
    DETECTOR_SIZE,
    PIXEL_SCALE,
    DetectorRegion,
    Evaluation,
    GrismOptics,
    NirspecOptics,
    Slit,
    TraceShape,
)

#: Columns of the table of integration times.
INT_TIMES = SlitModel().get_dtype("int_times")

#: Center of the field.
FIELD = compute_pointing(0)

#: Lengths of fixed slits, in arcsec (JWST User Documentation, "NIRSpec Fixed Slits").
FIXED_SLIT_LENGTHS = dict.fromkeys(FIXED_SLITS, 3.2) | {"S400A1": 3.65, "S1600A1": 1.6}

#: Width of realistic profiles in slits of NIRSpec, relative to those of grisms: standard deviations
#: are 0.6 to 0.9 pixels.
NIRSPEC_WIDTH = 0.7

#: Fraction of the columns of a realistic cut-out that are behind the edge of the detector.
MISSING = 0.04

#: Depth and standard deviation (in shutters) of the shadow of a bar between shutters.
BAR_DEPTH, BAR_WIDTH = 0.58, 0.12

#: Corners of an exposure of a grism, from its pointing, in degrees.
FOOTPRINT = ((-0.01, -0.01), (0.01, -0.01), (0.01, 0.01), (-0.01, 0.01))

#: Fraction of the field of the shutters that a grism sees whole spectra of.
GRISM_FIELD = 0.6


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
    slits = list(list_slits(s, mode))
    at_rest = NirspecOptics(FIELD, mode.waverange)
    build_optics: Callable[..., NirspecOptics | GrismOptics] = NirspecOptics
    if mode.is_grism:
        build_optics = partial(GrismOptics, shared=s.shared_wcs)
    paths = []
    for number in range(1, s.exposures + 1):
        nod = compute_nod(number, PIXEL_SCALE * (s.shape or SHAPE)[0])
        geometry = compute_pointing(number, nod), mode.waverange
        # Before 1.19, NIRSpec slits shared no part of their WCS.
        is_shared = mode.is_grism or s.pipeline >= (1, 19)
        shared = build_optics(*geometry) if is_shared else None
        for detector in s.detectors or (mode.detector,):
            prefix = f"jw{s.program:05}{s.observation:03}001_03101_{number:05}_{detector}"
            path = folder / f"{prefix}{CAL}"
            meta = build_meta(s, mode, number, nod, detector, path.name)
            # The seed depends only on the exposure, whatever else is simulated with it.
            rng = np.random.default_rng([s.seed, number, *detector.encode()])
            exposure = _Exposure(s, mode, at_rest, nod, meta, rng)
            tree = {
                "meta": meta,
                "cal_logs": {"calwebb_spec2": [f"simulated {prefix}", "stpipe - INFO - done"]},
                "slits": [
                    exposure.build_slit(shared or build_optics(*geometry), index, extver, slit)
                    for extver, (index, slit) in enumerate(select_slits(s, slits, number), start=1)
                ],
            }
            paths.append(save_exposure(tree, path))
    if s.association:
        paths.append(write_association(s, mode, paths, folder))
    return paths


class _Cutout(NamedTuple):
    """Where a slit is on the detector and in the sky."""

    region: DetectorRegion
    wcs: WCS
    evaluation: Evaluation
    position: tuple[float, float]  #: SRCXPOS, SRCYPOS
    corners: list[tuple[float, float]]  #: in the sky, in degrees
    attributes: dict[str, Any]  #: of the slit


@dataclass(frozen=True)
class _Exposure:
    """An exposure whose slits are built."""

    s: Simulation
    mode: SimulatedMode
    at_rest: NirspecOptics  #: without a nod
    nod: float
    meta: dict[str, Any]
    rng: np.random.Generator

    def build_slit(
        self, optics: NirspecOptics | GrismOptics, index: int, extver: int, slit: dict[str, Any]
    ) -> AsdfObject:
        """Return one entry of ``slits``: attributes, images and metadata."""
        s, mode = self.s, self.mode
        slit = dict(slit)
        order = slit.pop("order", 1)
        source = simulate_source(s.seed, slit["source_id"], mode.waverange)
        extended = is_extended(slit)
        field = GRISM_FIELD if mode.is_grism else 1
        ra = FIELD.ra + field * source.ra / math.cos(math.radians(FIELD.dec))
        dec = FIELD.dec + field * source.dec
        shape, trace_shape = choose_shape(s, mode, index, order)
        if isinstance(optics, GrismOptics):
            cutout = _place_grism_cutout(
                optics, (ra, dec), shape, trace_shape, order, mode.along_columns
            )
            slit["is_extended"] = extended
        else:
            cutout = self._place_slit(optics, (ra, dec), shape, trace_shape, index, slit)
        photometry = {
            "conversion_megajanskys": 1.0 + 0.01 * index,
            "conversion_microjanskys": 23.5 * (1.0 + 0.01 * index),
            "pixelarea_steradians": 4.8e-13,
            "pixelarea_arcsecsq": 0.0204,
        }
        # Of these modes, photom gives point sources of NIRSpec alone no surface brightness.
        is_flux = not (extended or mode.is_grism)
        meta = {
            **dict.fromkeys(("bunit_data", "bunit_err"), "MJy" if is_flux else "MJy/sr"),
            "date": self.meta["observation"]["date_beg"],
            "model_type": "SlitModel",
            "photometry": photometry,
            "wcs": cutout.wcs,
            "wcsinfo": build_wcsinfo(mode, optics.pointing, order, cutout.corners),
        }
        rows, columns = cutout.region.shape
        slit = {
            "xstart": cutout.region.x + 1,
            "xsize": columns,
            "ystart": cutout.region.y + 1,
            "ysize": rows,
            "source_type": "EXTENDED" if extended else "POINT",
            "source_ra": ra,
            "source_dec": dec,
            "source_xpos": cutout.position[0],
            "source_ypos": cutout.position[1],
            **slit,
            **cutout.attributes,
        }
        images = mode.images
        if not mode.is_grism:
            slit |= {
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
                    "dither_position": self.meta["dither"]["position_number"],
                }
            if s.pipeline < (2, 0):
                slit["int_times"] = np.empty(0, INT_TIMES)
            # extract_2d gives NIRSpec slits all metadata that the exposure then has.
            meta = copy.deepcopy(self.meta) | {"coordinates": {"reference_frame": "ICRS"}} | meta
            meta["cal_step"] = complete_steps(mode.steps[: mode.steps.index("extract_2d")])
            if slit["name"] in FIXED_SLITS:
                meta["exposure"]["type"] = FIXED_SLIT
                images = [name for name in images if name != "barshadow"]
        width = source.size * (1.8 if extended else 1)
        if s.realistic and not mode.is_grism:
            width *= NIRSPEC_WIDTH
        step = (mode.waverange[1] - mode.waverange[0]) / trace_shape.length
        has_light = slit.get("stellarity") != 0
        simulated = simulate_images(
            self.rng,
            cutout.evaluation,
            Trace(source, width, step) if has_light else None,
            1e-12 / (1 if is_flux else photometry["pixelarea_steradians"]),
            1 / (1 + 3 * abs(order - 1)),
            self._choose_look(cutout, slit) if s.realistic else None,
        )
        slit |= {name: simulated[name] for name in images if (name, extver) not in s.absent}
        return AsdfObject(slit | {"meta": meta})

    def _place_slit(
        self,
        optics: NirspecOptics,
        sky: tuple[float, float],
        shape: tuple[int, int],
        trace_shape: TraceShape,
        index: int,
        attributes: dict[str, Any],
    ) -> _Cutout:
        """Return the cut-out of a slit of NIRSpec about a place in the sky (deg)."""
        x = min(20 + 37 * index % 1500, max(0, DETECTOR_SIZE - shape[1]))
        region = DetectorRegion(x, 10 + 11 * index % 1900, shape, 1)
        is_shutter = attributes["name"] not in FIXED_SLITS
        height = FIXED_SLIT_LENGTHS.get(attributes["name"], NirspecOptics.SHUTTER)
        # A nod takes the source from the middle one of three shutters to a neighbour.
        primary = round(self.nod / height) if is_shutter else 0
        limits = (-1.55 - primary, 1.55 - primary) if is_shutter else (-0.55, 0.55)
        unit = optics.metres(height)
        x_msa, y_msa = self.at_rest.locate(*sky)
        center = x_msa - 0.01 * (index % 20) * unit, y_msa + 0.02 * (index % 10) * unit
        slit = Slit(center, height, primary, limits if self.s.realistic else None)
        wcs = optics.build_wcs(region, trace_shape, slit)
        x_msa, y_msa = optics.locate(*sky)
        # With as many digits as a header keeps, whatever software writes it.
        position = (
            round((x_msa - center[0]) / unit, 9),
            round((y_msa - center[1]) / unit - primary, 9),
        )
        low, high = (center[1] + (primary + limit) * unit for limit in limits)
        left, right = (center[0] + side * optics.metres(0.1) for side in (-1, 1))
        corners = ((left, low), (right, low), (right, high), (left, high))
        slit_attributes: dict[str, Any] = {"slit_ymin": limits[0], "slit_ymax": limits[1]}
        if is_shutter:
            slit_attributes |= {
                "shutter_id": attributes["shutter_id"] + 365 * primary,
                "ycen": attributes["ycen"] + primary,
                "shutter_state": "".join("x" if n == primary else "1" for n in (-1, 0, 1)),
            }
        return _Cutout(
            region,
            wcs,
            optics.evaluate(wcs, region, slit, position[1]),
            position,
            [optics.project(*corner) for corner in corners],
            slit_attributes,
        )

    def _choose_look(self, cutout: _Cutout, slit: dict[str, Any]) -> Look:
        """Return the look of a realistic cut-out."""
        if self.mode.is_grism:
            return Look()
        height = FIXED_SLIT_LENGTHS.get(slit["name"], NirspecOptics.SHUTTER)
        bars = None
        if slit["name"] not in FIXED_SLITS:
            y_slit = cutout.evaluation.offsets * PIXEL_SCALE / height + cutout.position[1]
            distance = y_slit - 0.5 - np.round(y_slit - 0.5)
            bars = 1 - BAR_DEPTH * np.exp(-0.5 * (distance / BAR_WIDTH) ** 2)
        size = PIXEL_SCALE * (self.s.shape or SHAPE)[0]
        nods = (compute_nod(number, size) for number in (1, 2, 3))
        missing = round(MISSING * cutout.region.shape[1])
        return Look(
            nods=tuple((nod - self.nod) / PIXEL_SCALE for nod in nods if nod != self.nod),
            bars=bars,
            is_divided_by_bars=slit["barshadow_corrected"],
            missing=-missing if self.meta["instrument"]["detector"] == "NRS2" else missing,
        )


def _place_grism_cutout(
    optics: GrismOptics,
    sky: tuple[float, float],
    shape: tuple[int, int],
    trace_shape: TraceShape,
    order: int,
    along_columns: bool,
) -> _Cutout:
    """Return the cut-out about the spectrum of a source at a place in the sky (deg)."""
    x, y = optics.locate(*sky)
    position = round(x, 9), round(y, 9)
    columns, rows = shape if along_columns else reversed(shape)
    (left, columns), (bottom, rows) = (
        _clip(round(middle - (size - 1) / 2), size)
        for middle, size in zip(position, (columns, rows), strict=True)
    )
    region = DetectorRegion(left, bottom, (rows, columns), order, along_columns)
    wcs = optics.build_wcs(region, trace_shape, position)
    ra, dec = optics.pointing.ra, optics.pointing.dec
    corners = [(ra + x, dec + y) for x, y in FOOTPRINT]
    return _Cutout(region, wcs, optics.evaluate(wcs, region), position, corners, {})


def _clip(start: int, size: int) -> tuple[int, int]:
    """Return the start and the size of the part that is on the detector."""
    first, end = max(0, start), min(DETECTOR_SIZE, start + size)
    return first, end - first
