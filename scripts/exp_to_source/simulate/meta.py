"""Metadata of simulated exposures: about 200 cards, as in a primary header after stage 2."""

import math
from collections.abc import Iterable
from string import Template
from typing import Any

from .modes import METADATA, SimulatedMode, Simulation
from .wcs import Pointing


def compute_nod(number: int, height: float) -> float:
    """Return how far exposure `number` is nodded along slits, for cut-outs of a height (arcsec).

    It is a shutter, if the cut-outs are high enough.
    """
    return min(0.5, height / 6) * (0, 1, -1)[(number - 1) % 3]


def compute_pointing(number: int, nod: float = 0.0) -> Pointing:
    """Return the pointing of exposure `number`; no two are the same."""
    ra, dec, roll = 53.15, -27.8, 10.0
    sine, cosine = math.sin(math.radians(roll)), math.cos(math.radians(roll))
    across = 0.01 * number
    east = (across * cosine - nod * sine) / 3600
    north = (-across * sine - nod * cosine) / 3600
    ra += east / math.cos(math.radians(dec))
    return Pointing(
        **{"ra": ra, "dec": dec + north, "roll": roll, "v2": 378.5, "v3": -428.4},
        **{"scale": 1.00003, "velocity": 1234.5},
    )


def build_meta(
    s: Simulation, mode: SimulatedMode, number: int, nod: float, detector: str, filename: str
) -> dict[str, Any]:
    """Return the ``meta`` of an exposure, a new tree with each call."""
    start = 60000 + 0.02 * number
    hours, minutes = divmod(29 * number, 60)
    values = {
        **compute_pointing(number, nod)._asdict(),
        **vars(mode),
        "version": s.version,
        "program": f"{s.program:05}",
        "observation": f"{s.observation:03}",
        "visit": f"{s.program:05}{s.observation:03}001",
        "number": number,
        "number_text": str(number),
        "total": s.exposures,
        "nod": nod,
        "x_offset": 0.01 * number,
        "detector": detector.upper(),
        "filename": filename,
        "clock": f"{hours:02}:{minutes:02}",
        **{"start": start, "mid": start + 0.005, "end": start + 0.01},
        **{"start_tdb": start + 0.004, "mid_tdb": start + 0.009, "end_tdb": start + 0.014},
        **{"start_bary": start + 1, "mid_bary": start + 2, "end_bary": start + 3},
    }
    meta: dict[str, Any] = _substitute(METADATA["meta"], values)
    meta["instrument"] |= mode.elements | _substitute(mode.mechanisms, values)
    for name in METADATA["detector1"]["files"] + mode.files:
        meta["ref_file"][name] = {"name": f"crds://jwst_{mode.instrument.lower()}_{name}_0001.fits"}
    meta["cal_step"] = complete_steps([*mode.steps, "photom"])
    return meta


def _substitute(node: Any, values: dict[str, Any]) -> Any:
    """Return a copy of a tree with values in place of "$name"."""
    if isinstance(node, dict):
        return {key: _substitute(value, values) for key, value in node.items()}
    if not isinstance(node, str):
        return node
    # A value by itself keeps its type.
    name = node.removeprefix("$")
    return values[name] if node != name and name in values else Template(node).substitute(values)


def complete_steps(steps: list[str]) -> dict[str, str]:
    """Return the state of the steps of stage 1, and of these of stage 2."""
    return dict.fromkeys(METADATA["detector1"]["steps"] + steps, "COMPLETE")


def build_wcsinfo(
    mode: SimulatedMode, pointing: Pointing, order: int, corners: Iterable[tuple[float, float]]
) -> dict[str, Any]:
    """Return the world coordinate keywords of a slit with these corners in the sky."""
    low, high = mode.waverange
    polygon = " ".join(f"{ra:.9f} {dec:.9f}" for ra, dec in corners)
    return {
        "dispersion_direction": 2 if mode.along_columns else 1,
        "spectral_order": order,
        "waverange_start": low,
        "waverange_end": high,
        "v2_ref": pointing.v2,
        "v3_ref": pointing.v3,
        "vparity": -1,
        "v3yangle": 138.5,
        "ra_ref": pointing.ra,
        "dec_ref": pointing.dec,
        "roll_ref": pointing.roll,
        "s_region": f"POLYGON ICRS  {polygon}",
        "specsys": "BARYCENT",
        "velosys": pointing.velocity,
    }
