"""Simulated exposures, written by the official data model, and their associations."""

import json
import warnings
from pathlib import Path
from typing import Any

from astropy.io import fits
from stdatamodels import fits_support
from stdatamodels.jwst.datamodels import MultiSlitModel

from ..files import atomic_write, write_file
from ..hdus import IndexedHduList
from ..modes import ELEMENTS
from .modes import SimulatedMode, Simulation


def save_exposure(tree: dict[str, Any], path: Path) -> Path:
    """Write an exposure as ``MultiSlitModel.save`` does."""
    with MultiSlitModel(tree) as model:
        model.on_save(str(path))
        hdus = fits_support.to_fits(
            model.instance, model.schema, IndexedHduList([fits.PrimaryHDU()])
        )
    with atomic_write(path) as file, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Card is too long")
        fits.HDUList(hdus).writeto(file)
    return path


def write_association(s: Simulation, mode: SimulatedMode, paths: list[Path], folder: Path) -> Path:
    """Write the stage 3 association of exposures, with the product name of the version."""
    program, observation = f"{s.program:05}", f"o{s.observation:03}"
    elements = sorted(mode.elements[key].lower() for key in ELEMENTS if key in mode.elements)
    target = "{source_id}"
    configuration = f"{mode.instrument.lower()}_{'-'.join(elements)}"
    if s.mode == "fixed-slit" and s.pipeline >= (1, 12):
        target = "t001-{source_id}"
        configuration += "-{slit_name}"
    elif mode.is_grism and s.pipeline >= (1, 19):
        target = "t001"
    if mode.subarray != "FULL":
        configuration += f"-{mode.subarray.lower()}"
    members = [{"expname": path.name, "exptype": "science"} for path in paths]
    name = f"jw{program}-{observation}_{target}_{configuration}"
    association = {
        "asn_type": "spec3",
        "asn_rule": "candidate_Asn_Lv3SpectralSource",
        "version_id": None,
        "code_version": s.version,
        "program": program,
        "asn_id": observation,
        "asn_pool": f"jw{program}_pool.csv",
        "target": "001",
        "products": [{"name": name, "members": members}],
    }
    path = folder / f"jw{program}-{observation}_spec3_00001_asn.json"
    write_file(path, json.dumps(association, indent=4).encode() + b"\n")
    return path
