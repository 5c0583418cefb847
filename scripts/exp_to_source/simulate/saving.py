"""Simulated exposures, written by the official data model, and their associations."""

import json
import warnings
from pathlib import Path
from typing import Any

from astropy.io import fits
from stdatamodels import fits_support
from stdatamodels.jwst.datamodels import MultiSlitModel

from ..files import atomic_write, write_file
from ..modes import ELEMENTS
from .modes import SimulatedMode, Simulation


def save_exposure(tree: dict[str, Any], path: Path) -> Path:
    """Write an exposure as ``MultiSlitModel.save`` does."""
    with MultiSlitModel(tree) as model:
        model.on_save(str(path))
        hdus = fits_support.to_fits(model.instance, model.schema, _HduList([fits.PrimaryHDU()]))
    with atomic_write(path) as file, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Card is too long")
        fits.HDUList(hdus).writeto(file)
    return path


class _HduList(fits.HDUList):  # type: ignore[misc] # astropy has no types
    """A list that finds an HDU by name and version without a search.

    Searching for each keyword of each slit makes saving quadratic.
    """

    def __init__(self, hdus: list[fits.PrimaryHDU]) -> None:
        super().__init__(hdus)
        self._hdus: dict[tuple[str, int], fits.ImageHDU] = {}

    def append(self, hdu: fits.ImageHDU) -> None:
        """Append an HDU, whose name and version are final."""
        super().append(hdu)
        self._hdus[hdu.name, hdu.ver] = hdu

    def __getitem__(self, key: Any) -> fits.ImageHDU:
        """Return the HDU of an index, a name, or a name and version."""
        return self._hdus[key] if isinstance(key, tuple) else super().__getitem__(key)


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
