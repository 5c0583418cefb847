"""Level 3 associations of simulated exposures."""

import json
from pathlib import Path

from ..files import atomic_write, write_all
from ..modes import ELEMENTS
from .modes import Mode
from .simulation import Simulation


def write_association(s: Simulation, mode: Mode, exposures: list[Path], folder: Path) -> Path:
    """Write the stage 3 association of the exposures, with the template of the version."""
    observation = f"jw{s.program:05}-o{s.observation:03}"
    optical = sorted(mode.elements[key].lower() for key in ELEMENTS if key in mode.elements)
    tail = f"{mode.instrument.lower()}_{'-'.join(optical)}"
    target = "{source_id}"
    if s.mode == "fixed-slit" and s.pipeline >= (1, 12):
        target, tail = "t001-{source_id}", tail + "-{slit_name}"
    elif s.mode.endswith("-wfss") and s.pipeline >= (1, 19):
        target = "t001"
    if mode.subarray != "FULL":
        tail += f"-{mode.subarray.lower()}"
    members = [{"expname": path.name, "exptype": "science"} for path in exposures]
    association = {
        "asn_type": "spec3",
        "asn_rule": "candidate_Asn_Lv3SpectralSource",
        "version_id": None,
        "code_version": s.version,
        "program": f"{s.program:05}",
        "asn_id": f"o{s.observation:03}",
        "asn_pool": f"jw{s.program:05}_pool.csv",
        "target": "001",
        "products": [{"name": f"{observation}_{target}_{tail}", "members": members}],
    }
    path = folder / f"{observation}_spec3_00001_asn.json"
    with atomic_write(path) as file:
        write_all(file, json.dumps(association, indent=4).encode() + b"\n")
    return path
