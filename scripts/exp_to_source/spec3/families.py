"""Tables of the spectra of all sources of a grism, as Spec3Pipeline writes them at its end."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from jwst.datamodels.utils.flat_multispec import (
    copy_column_units,
    copy_spec_metadata,
    determine_vector_and_meta_columns,
    make_empty_recarray,
    set_schema_units,
)
from stdatamodels.jwst import datamodels

from ..errors import InputError, list_some, pluralize
from ..results import product_path, spectrum_path
from ..tables import read_sources
from .appearances import first_appearances, refuse_same_ids
from .pipeline import NO_PIXEL, no_combined_spectra, set_footprint
from .preparation import SKIPPED
from .saving import save_whole


def combine_family(
    table: Path, classes: str, indices: Sequence[Path], x1d: Path, c1d: Path
) -> None:
    """Put the spectra of a family together.

    Parameters
    ----------
    table : Path
        The source list; products and spectra are beside it.
    classes : str
        Classes of the sources, a letter each.
    indices : sequence of Path
        Indices of all exposures, in the order of the run.
    x1d, c1d : Path
        The tables to write, named after the family: one extension an exposure; one an order.

    Raises
    ------
    InputError
        If there is no spectrum, or two sources have one id.
    """
    results = str(table.parent)
    family = x1d.name.removesuffix("_x1d.fits")
    sources = read_sources(str(table))
    if family in sources:
        raise InputError(
            f"{x1d}: the spectrum of a source has this name, too; rename the product of the "
            f"association {family!r}"
        )
    names = [
        name for name, row in sources.items() if row["family"] == family and row["class"] in classes
    ]
    made = [name for name in names if _is_made(results, name)]
    if not made:
        raise InputError(f"{x1d}: no source of {family} has a spectrum; see their logs")
    failed = sorted({*names}.difference(made))
    _warn(x1d, failed, "it failed")
    history = [f"no spectrum of {name}: it failed" for name in failed]
    order, (product, entry), footprints = first_appearances(results, made, indices)
    spectra, combined = (
        {name: spectrum_path(results, name, kind) for name in order} for kind in ("x1d", "c1d")
    )
    with exposures_spectra([*spectra.values()]) as model:
        with datamodels.open(product_path(results, product)) as source:
            set_footprint(model, source.exposures[entry].meta.wcs, footprints)
        _save_with_history(model, x1d, history)
        empty = [name for name in order if fits.getval(combined[name], "S_COMB1D") == SKIPPED]
        _warn(c1d, empty, NO_PIXEL)
        history += [f"no spectrum of {name}: {NO_PIXEL}" for name in empty]
        paths = [path for name, path in combined.items() if name not in empty]
        with combined_spectra(paths) if paths else no_combined_spectra(model) as table:
            _save_with_history(table, c1d, history)


def exposures_spectra(paths: Sequence[str]) -> Any:
    """Table of the spectra of all sources, an extension for each exposure.

    As ``jwst.datamodels.utils.wfss_multispec.make_wfss_multiexposure``, which would take ten times
    as long, as it has a data model for each spectrum.
    """
    schema = datamodels.WFSSSpecModel().schema["properties"]["spec_table"]
    columns = _columns(datamodels.SpecModel(), schema)
    headers, rows = _read(paths, "EXTRACT1D", "EXPGRPID")
    ids = np.unique([row["SOURCE_ID"] for found in rows.values() for row in found])
    result = datamodels.WFSSMultiSpecModel()
    with datamodels.open(paths[0]) as first:
        example = first.spec[0]
        for group, found in rows.items():
            table = _empty(found, len(ids), columns, schema)
            table["SOURCE_ID"] = ids
            for row in found:
                _fill(table[np.searchsorted(ids, row["SOURCE_ID"])], row)
            spec = datamodels.WFSSSpecModel(table)
            set_schema_units(spec)
            copy_column_units(example, spec)
            spec.filename, spec.group_id = headers[group].get("FILENAME"), group
            spec.dispersion_direction = example.dispersion_direction
            spec.spectral_order = headers[group].get("SPORDER")
            spec.exposure_time = headers[group].get("EFFEXPTM")
            spec.integration_time = headers[group].get("EFFINTTM")
            result.spec.append(spec)
        result.update(first, only="PRIMARY")
    return result


def combined_spectra(paths: Sequence[str]) -> Any:
    """Table of the combined spectra of all sources, an extension for each spectral order.

    As ``jwst.datamodels.utils.wfss_multispec.make_wfss_multicombined``, see `exposures_spectra`.
    """
    specs = datamodels.WFSSMultiCombinedSpecModel().schema["properties"]["spec"]
    schema = specs["items"]["properties"]["spec_table"]
    columns = _columns(datamodels.CombinedSpecModel(), schema)
    _, rows = _read(paths, "COMBINE1D", "SPORDER")
    result = datamodels.WFSSMultiCombinedSpecModel()
    with datamodels.open(paths[0]) as first:
        example = first.spec[0]
        for order, found in rows.items():
            table = _empty(found, len(paths), columns, schema)
            for number, row in enumerate(found):
                _fill(table[number], row)
            table.sort(order=["SOURCE_ID"])
            spec = datamodels.WFSSCombinedSpecModel()
            spec.spec_table = table
            set_schema_units(spec)
            copy_column_units(example, spec)
            copy_spec_metadata(example, spec)
            spec.spectral_order = order
            result.spec.append(spec)
        result.update(first, only="PRIMARY")
    return result


def _is_made(results: str, name: str) -> bool:
    """Whether the spectra of a product are there; those that failed are empty, or none."""
    path = Path(spectrum_path(results, name, "x1d"))
    return path.exists() and path.stat().st_size > 0


def _warn(table: Path, names: Sequence[str], why: str) -> None:
    """Report sources that a table is made without; the last lines of the run repeat it."""
    if names:
        what = f"{pluralize(len(names), 'source')} ({why})"
        print(f"warning: {table}: without {what}: {list_some(names, limit=10)}", file=sys.stderr)


def _columns(model: Any, schema: Any) -> tuple[Any, Any]:
    """Columns of a table of spectra, and which of them have a value for each wavelength."""
    single = model.schema["properties"]["spec_table"]["datatype"]
    model.close()
    columns, is_vector = determine_vector_and_meta_columns(single, schema["datatype"])
    return columns, is_vector


def _read(
    paths: Iterable[str], extension: str, key: str
) -> tuple[dict[Any, fits.Header], dict[Any, list[dict[str, Any]]]]:
    """Read the rows of all tables by a keyword of theirs, and the first header of each."""
    headers: dict[Any, fits.Header] = {}
    rows: dict[Any, list[dict[str, Any]]] = {}
    owners: dict[int, str] = {}
    for path in paths:
        with fits.open(path, memmap=False) as hdus:
            for hdu in hdus:
                if hdu.name == extension:
                    refuse_same_ids(path, hdu.data["SOURCE_ID"], owners)
                    headers.setdefault(hdu.header[key], hdu.header)
                    found = rows.setdefault(hdu.header[key], [])
                    columns = {name: hdu.data[name] for name in hdu.columns.names}
                    found += (
                        {name: column[n] for name, column in columns.items()}
                        for n in range(len(hdu.data))
                    )
    return headers, rows


def _empty(rows: Iterable[dict[str, Any]], size: int, columns: tuple[Any, Any], schema: Any) -> Any:
    """Make a table that is wide enough for the longest spectrum, with the schema's defaults."""
    width = max(int(row["N_ALONGDISP"]) for row in rows)
    return make_empty_recarray(width, size, *columns, defaults=schema["default"])


def _fill(target: Any, row: dict[str, Any]) -> None:
    """Copy a row into a row that is at least as wide."""
    count = int(row["N_ALONGDISP"])
    for name, value in row.items():
        if np.ndim(value):
            target[name][:count] = value[:count]
        else:
            target[name] = value


def _save_with_history(model: Any, path: Path, history: Iterable[str]) -> None:
    for sentence in history:
        model.add_history_entry(sentence)
    save_whole(model, path)
