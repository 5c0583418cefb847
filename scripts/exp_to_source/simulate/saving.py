"""Simulated exposures, written by the official data model."""

import warnings
from pathlib import Path
from typing import Any

from astropy.io import fits
from stdatamodels import fits_support
from stdatamodels.jwst.datamodels import MultiSlitModel

from ..files import atomic_write


def save_exposure(tree: dict[str, Any], path: Path) -> Path:
    """Write an exposure as ``MultiSlitModel.save`` does, atomically."""
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
