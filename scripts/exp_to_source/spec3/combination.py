"""Tables of the spectra of all sources of a grism, as Spec3Pipeline writes them at its end."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from jwst.datamodels.utils import flat_multispec
from stdatamodels.jwst import datamodels

from ..errors import InputError
from ..formats.indices import IndexReader
from ..formats.manifests import read_manifest
from ..formats.summaries import read_summaries
from ..results import manifest_path, product_path, spectrum_path
from ..tables import read_sources
from .pipeline import NO_PIXEL, no_combined_spectra, set_footprint
from .preparation import SKIPPED
from .stacking import find_spectra, report_missing
from .steps import save_model

#: A row of a table, or the names and values of its columns.
Row = Any


def combine_spectra(table: str, classes: str, indices: Sequence[str], x1d: str, c1d: str) -> None:
    """Concatenate the spectra of all sources of a group of products, of some classes.

    The tables to write are named after the group: one extension an exposure; one an order. Products
    and spectra are beside the source list, indices in the order of the run.
    """
    results = str(Path(table).parent)
    group = Path(x1d).name.removesuffix("_x1d.fits")
    sources = read_sources(table)
    if group in sources:
        raise InputError(
            f"{x1d}: the spectrum of a source has this name, too; rename the product of the "
            f"association {group!r}"
        )
    products = [
        name for name, row in sources.items() if row["family"] == group and row["class"] in classes
    ]
    history: list[str] = []
    extracted = find_spectra(x1d, results, products, history)
    products, (first, entry), footprints = order_sources(results, extracted, indices)
    with exposure_spectra([spectrum_path(results, name, "x1d") for name in products]) as model:
        with datamodels.open(product_path(results, first)) as product:
            set_footprint(model, product.exposures[entry].meta.wcs, footprints)
        _save_with_history(model, x1d, history)
        paths = {name: spectrum_path(results, name, "c1d") for name in products}
        empty = [name for name in products if fits.getval(paths[name], "S_COMB1D") == SKIPPED]
        report_missing(c1d, empty, NO_PIXEL, history)
        combined = [path for name, path in paths.items() if name not in empty]
        with combined_spectra(combined) if combined else no_combined_spectra(model) as table_model:
            _save_with_history(table_model, c1d, history)


def order_sources(
    results: str, products: Iterable[str], indices: Iterable[str]
) -> tuple[list[str], tuple[str, int], list[str]]:
    """Order sources as Spec3Pipeline does: by first appearance in the exposures and their slits.

    Returns the products in this order; product and entry of the first slit of all; and S_REGION of
    each exposure that has any of the sources, empty if it has none.
    """
    entries = {
        slit: (name, entry)
        for name in products
        for entry, slit in enumerate(read_manifest(manifest_path(results, name)).slits)
    }
    appearances: list[tuple[str, int]] = []
    footprints = []
    for index in indices:
        with IndexReader(index) as reader:
            name = reader.exposure["exposure"]
            slits = [(name, summary.digest) for summary in read_summaries(reader)]
            if present := [entries[slit] for slit in slits if slit in entries]:
                appearances += present
                footprints.append(reader.exposure["s_region"])
    return list(dict.fromkeys(name for name, _ in appearances)), appearances[0], footprints


def exposure_spectra(paths: Sequence[str]) -> Any:
    """Build the table of the spectra of all sources, with an extension for each exposure.

    As ``jwst.datamodels.utils.wfss_multispec.make_wfss_multiexposure``, which would take ten times
    as long, as it has a data model for each spectrum.
    """
    schema = datamodels.WFSSSpecModel().schema["properties"]["spec_table"]
    tables = _read(paths, "EXTRACT1D", "EXPGRPID")
    ids = np.unique([row["SOURCE_ID"] for _, rows in tables.values() for row in rows])
    result = datamodels.WFSSMultiSpecModel()
    with datamodels.open(paths[0]) as first:
        example = first.spec[0]
        for group, (header, rows) in tables.items():
            table = _empty_table(rows, len(ids), datamodels.SpecModel(), schema)
            table["SOURCE_ID"] = ids
            for row in rows:
                _copy_row(row, table[np.searchsorted(ids, row["SOURCE_ID"])])
            spec = datamodels.WFSSSpecModel(table)
            flat_multispec.set_schema_units(spec)
            flat_multispec.copy_column_units(example, spec)
            spec.filename, spec.group_id = header.get("FILENAME"), group
            spec.dispersion_direction = example.dispersion_direction
            spec.spectral_order = header.get("SPORDER")
            spec.exposure_time = header.get("EFFEXPTM")
            spec.integration_time = header.get("EFFINTTM")
            result.spec.append(spec)
        result.update(first, only="PRIMARY")
    return result


def combined_spectra(paths: Sequence[str]) -> Any:
    """Build the table of the combined spectra of all sources, with an extension for each order.

    As ``jwst.datamodels.utils.wfss_multispec.make_wfss_multicombined``, see `exposure_spectra`.
    """
    specs = datamodels.WFSSMultiCombinedSpecModel().schema["properties"]["spec"]
    schema = specs["items"]["properties"]["spec_table"]
    result = datamodels.WFSSMultiCombinedSpecModel()
    with datamodels.open(paths[0]) as first:
        example = first.spec[0]
        for order, (_, rows) in _read(paths, "COMBINE1D", "SPORDER").items():
            table = _empty_table(rows, len(paths), datamodels.CombinedSpecModel(), schema)
            for number, row in enumerate(rows):
                _copy_row(row, table[number])
            table.sort(order=["SOURCE_ID"])
            spec = datamodels.WFSSCombinedSpecModel()
            spec.spec_table = table
            flat_multispec.set_schema_units(spec)
            flat_multispec.copy_column_units(example, spec)
            flat_multispec.copy_spec_metadata(example, spec)
            spec.spectral_order = order
            result.spec.append(spec)
        result.update(first, only="PRIMARY")
    return result


def check_ids(path: str, ids: Iterable[int], owners: dict[int, str]) -> None:
    """Check that no two spectra have one SOURCEID, as rows of a table have no names."""
    for number in map(int, ids):
        other = owners.setdefault(number, path)
        if other != path:
            raise InputError(
                f"{other} and {path} both have SOURCEID {number}, by which rows of a table are "
                "told apart; give the slits of one of them an id of its own, or other products"
            )


def _read(
    paths: Iterable[str], extension: str, key: str
) -> dict[Any, tuple[fits.Header, list[Row]]]:
    """Read the rows of all tables by a keyword of theirs, with the first header of each."""
    tables: dict[Any, tuple[fits.Header, list[Row]]] = {}
    owners: dict[int, str] = {}
    for path in paths:
        with fits.open(path, memmap=False) as hdus:
            for hdu in (hdu for hdu in hdus if hdu.name == extension):
                check_ids(path, hdu.data["SOURCE_ID"], owners)
                _, rows = tables.setdefault(hdu.header[key], (hdu.header, []))
                names = hdu.columns.names
                columns = [hdu.data[name] for name in names]
                rows += (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
    return tables


def _empty_table(rows: Iterable[Row], size: int, model: Any, schema: Any) -> Any:
    """Make a table as wide as the longest spectrum; a model of one has columns of wavelengths."""
    width = max(int(row["N_ALONGDISP"]) for row in rows)
    with model:
        vectors = model.schema["properties"]["spec_table"]["datatype"]
    columns = flat_multispec.determine_vector_and_meta_columns(vectors, schema["datatype"])
    return flat_multispec.make_empty_recarray(width, size, *columns, defaults=schema["default"])


def _copy_row(row: Mapping[str, Any], target: Row) -> None:
    """Copy a row into a row that is at least as wide."""
    count = int(row["N_ALONGDISP"])
    for name, value in row.items():
        if np.ndim(value):
            target[name][:count] = value[:count]
        else:
            target[name] = value


def _save_with_history(model: Any, path: str, history: Iterable[str]) -> None:
    for entry in history:
        model.add_history_entry(entry)
    save_model(model, Path(path))
