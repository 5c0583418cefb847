"""The spectra of all sources of a family of slits in one file, which takes no jwst to write."""

import os
import sys
from collections.abc import Collection, Iterable, Sequence

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
    products = [
        name
        for name, row in read_sources(table).items()
        if row["family"] == family
        and row["class"] in classes
        and not is_grism(row["exposure_type"])
    ]
    extracted = find_spectra(output, results, products, [])
    version = 0
    with atomic_write(output) as file:
        for name in extracted:
            path = spectrum_path(results, name, "x1d")
            with fits.open(path) as hdus, open(path, "rb") as source:
                if not version:
                    hdus[0].header["FILENAME"] = os.path.basename(output)
                    write_all(file, hdus[0].header.tostring().encode())
                for hdu in (hdu for hdu in hdus if hdu.name == "EXTRACT1D"):
                    version += 1
                    hdu.header["EXTVER"], hdu.header["PRODUCT"] = version, name
                    write_all(file, hdu.header.tostring().encode())
                    # The bytes of its data with their padding.
                    source.seek(hdu.fileinfo()["datLoc"])
                    write_all(file, source.read(hdu.fileinfo()["datSpan"]))


def find_spectra(table: str, results: str, names: Iterable[str], history: list[str]) -> list[str]:
    """Find the products that have an extracted spectrum; report those that a table will lack."""
    paths = {name: spectrum_path(results, name, "x1d") for name in names}
    # After a failure it is empty, or does not exist.
    extracted = [n for n, path in paths.items() if os.path.exists(path) and os.path.getsize(path)]
    if not extracted:
        family = os.path.basename(table).removesuffix("_x1d.fits")
        raise InputError(f"{table}: no source of {family} has a spectrum; see their logs")
    report_missing(table, sorted(paths.keys() - {*extracted}), "it failed", history)
    return extracted


def report_missing(table: str, products: Sequence[str], reason: str, history: list[str]) -> None:
    """Warn of sources that a table lacks, and add them to its history."""
    if products:
        what = f"{pluralize(len(products), 'source')} ({reason}): {list_some(products, limit=10)}"
        print(f"warning: {table}: without {what}", file=sys.stderr)
        history += [f"no spectrum of {name}: {reason}" for name in products]
