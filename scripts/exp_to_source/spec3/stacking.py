"""The spectra of all sources of a family of slits in one file, which takes no jwst to write."""

import os
import sys
from collections.abc import Collection

from astropy.io import fits

from ..errors import InputError, list_some, pluralize
from ..files import atomic_write, write_all
from ..modes import is_grism
from ..results import spectrum_path
from ..tables import read_sources


def stack_spectra(table: str, output: str, classes: Collection[str]) -> None:
    """Put the extracted spectra of the sources of a family, of some classes, into one file.

    It is a MultiSpecModel as jwst writes one of several slits: each spectrum is an extension
    EXTRACT1D with its own EXTVER and unchanged data, and PRODUCT, the name of its product. PRIMARY
    is that of the first. A source without a spectrum is left out, with a warning.
    """
    results, family = os.path.dirname(table), os.path.basename(output).removesuffix("_x1d.fits")
    paths = {
        name: spectrum_path(results, name, "x1d")
        for name, row in read_sources(table).items()
        if row["family"] == family
        and row["class"] in classes
        and not is_grism(row["exposure_type"])
    }
    # After a failure it is empty, or does not exist.
    extracted = {n: p for n, p in paths.items() if os.path.exists(p) and os.path.getsize(p)}
    if not extracted:
        raise InputError(f"{output}: no source of {family} has a spectrum; see their logs")
    if missing := sorted(paths.keys() - extracted):
        what = f"{pluralize(len(missing), 'source')} (it failed): {list_some(missing, limit=10)}"
        print(f"warning: {output}: without {what}", file=sys.stderr)
    version = 0
    with atomic_write(output) as file:
        for name, path in extracted.items():
            with fits.open(path) as hdus:
                if not version:
                    hdus[0].header["FILENAME"] = os.path.basename(output)
                    write_all(file, hdus[0].header.tostring().encode())
                for hdu in (hdu for hdu in hdus if hdu.name == "EXTRACT1D"):
                    version += 1
                    hdu.header["EXTVER"], hdu.header["PRODUCT"] = version, name
                    write_all(file, hdu.header.tostring().encode())
                    write_all(file, _read_data(path, hdu))


def _read_data(path: str, hdu: fits.BinTableHDU) -> bytes:
    """Read the bytes of an HDU's data with their padding."""
    place = hdu.fileinfo()
    with open(path, "rb") as file:
        file.seek(place["datLoc"])
        return file.read(place["datSpan"])
