"""Which slits simulated exposures have."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..modes import FIXED_SLIT_IDS
from .modes import FIXED_SLITS, SHAPE, SimulatedMode, Simulation
from .wcs import TraceShape

#: Rows over which realistic traces rise and bend, if they are long enough.
RISE = (5.0, 10.0)


def list_slits(s: Simulation, mode: SimulatedMode) -> Iterator[dict[str, Any]]:
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
                "source_id": slitlet if source_id is None else source_id,
                "source_name": name if real else f"{name}{slitlet}",
                "source_alias": alias if real else f"{alias}{slitlet}",
                "stellarity": _stellarity(source_id or 0) if real else 0.0,
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
                "stellarity": _stellarity(source_id),
            }


def _stellarity(source_id: int) -> float:
    return 0.8 if source_id % 2 else 0.2


def is_extended(slit: dict[str, Any]) -> bool:
    """Return whether the source of a slit is extended; it is so in all of its slits.

    In MOS exposures the stellarity decides (``jwst.srctype``).
    """
    stellarity: float = slit.get("stellarity", _stellarity(slit["source_id"]))
    return stellarity <= 0.75


def select_slits(
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


def choose_shape(
    s: Simulation, mode: SimulatedMode, index: int, order: int
) -> tuple[tuple[int, int], TraceShape]:
    """Return the pixels of a cut-out across and along the dispersion, and the shape of its trace.

    They are the same in all exposures. Of a grism, traces of an order are alike.
    """
    rows, columns = s.shape or (mode.size if s.realistic else SHAPE)
    if s.realistic and s.shape is None:
        columns = columns * abs(order) or columns // 20
    length = columns - 1
    columns += 4 * (index % 5)
    if not mode.is_grism:
        length = columns - 1
    trace = TraceShape(float(max(length, 1)))
    if s.realistic:
        rng = np.random.default_rng([s.seed, 0 if mode.is_grism else index, *b"trace"])
        rise = min(rng.uniform(*RISE), columns / 40, rows / 2)
        tilt = 0.7 * rise * rng.choice((-1, 1))
        trace = trace._replace(tilt=tilt, bow=0.3 * rise, line_tilt=0.03)
        if s.shape is None:
            rows += math.ceil(rise) + 1
    return (rows + index % 3, columns), trace
