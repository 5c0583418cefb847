"""Making the source list of a run: a table, and a manifest for each product."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..diagnostics import COLUMNS as DIAGNOSTIC_COLUMNS
from ..diagnostics import Diagnostic, to_rows
from ..errors import InputError, list_some, pluralize
from ..files import atomic_write, has_content, names_in, write_all
from ..results import (
    LEFT_OUT,
    MANIFESTS,
    REMARKS,
    SKIPPED,
    SPECTRA,
    STALE,
    ecsv_path,
    manifest_name,
    manifest_path,
    product_path,
    spectrum_path,
)
from ..tables import count_other_kinds, write_table
from .associations import Association
from .choosing import ALL_SOURCES, Source, SourceFilter, choose
from .doubts import check_doubts
from .families import DEFAULT_OPTIONS, GroupingOptions, Slit, make_families, read_exposures
from .join_table import Joins
from .joining import NO_JOINS, join_slits
from .mixtures import mixture_warnings
from .products import Product, make_products, manifest
from .remarks import (
    mixed_elements,
    part_named,
    renumbered,
    shared_tables,
    unopenable,
    unusual_names,
)

#: Columns of the source list.
COLUMNS = (
    *("product", "source_id", "class", "source_name", "slit_name"),
    *("exposures", "slits", "planes", "bytes", "digest", "joined"),
    *("detectors", "wavelength_min", "wavelength_max", "rows", "columns"),
    *("exposure_type", "family"),
)

#: Types in ECSV of columns that are not text, and units.
TYPES = {
    **dict.fromkeys(("source_id", "exposures", "slits", "planes", "rows", "columns"), "int64"),
    **{"bytes": "int64", "wavelength_min": "float64", "wavelength_max": "float64"},
}
UNITS = {
    **{"bytes": "byte", "rows": "pix", "columns": "pix"},
    **{"wavelength_min": "um", "wavelength_max": "um"},
}


#: As many manifests, or more, are written by several threads.
MANY = 100

#: How many threads; more only wait for each other.
THREADS = 4

#: Columns of the list of sources that are left out.
LEFT_OUT_COLUMNS = (
    *("product", "source_id", "class", "source_name", "slit_name"),
    *("exposures", "slits", "reason"),
)


def list_sources(
    indices: Iterable[str],
    table: str,
    associations: Sequence[Association] = (),
    options: GroupingOptions = DEFAULT_OPTIONS,
    source_filter: SourceFilter = ALL_SOURCES,
    joins: Joins = NO_JOINS,
    results: str | None = None,
) -> list[str]:
    """Group the slits of all exposures, and write the files that the products need.

    A manifest is written only if its content changed. Its product then gets a time before all
    others, so that times show which products must be made again. Manifests of sources that no
    longer exist are removed. Those of sources that are not chosen stay, so that a later choice
    finds their products made. The table is written last: if it exists, the manifests of the
    products in it are complete.

    Parameters
    ----------
    indices : iterable of str
        Indices of the exposures, in the order of the entries of products.
    table : str
        The table to write.
    associations : sequence of Association
        Families of exposures; other exposures are named after their headers.
    options : GroupingOptions
        How slits are grouped and products named.
    source_filter : SourceFilter
        Which sources the user wants; the others are listed in ``left_out.tsv`` of `results`.
    joins : Joins
        Slits to be put in one product.
    results : str, optional
        Folder of the run's results: manifests are written to ``manifests`` in it, products of
        sources that no longer exist are moved from ``products`` to ``stale``. By default that of
        the table.

    Returns
    -------
    list of str
        Messages: what was made, and remarks on the run as a whole. ``remarks.tsv`` in `results`
        contains these, and the remarks on exposures.

    Raises
    ------
    InputError
        If sources cannot be distinguished, products cannot be named, a choice matches nothing, or
        there are doubts that end the run.
        Nothing is written then.
    """
    results = results or os.path.dirname(table)
    exposures = list(read_exposures(indices, options))
    unused = [exposure.about for exposure in exposures if "failure" in exposure.about]
    failed = [about["failure"] for about in unused if "other_kind" not in about]
    others = count_other_kinds(unused)
    good = [exposure for exposure in exposures if "failure" not in exposure.about]
    if failed and not good:
        raise InputError(f"none of the {len(failed)} exposures can be read: {failed[0]}")
    if not good:
        raise InputError(f"no exposures to regroup: {others}; correct the setting 'exposures'")
    families = make_families(good, associations, options)
    families, joined = join_slits(families, joins, options)
    products = make_products(families, options, joined)
    manifests = {product.name: manifest(product) for product in products}
    rows = [source_row(product, manifests[product.name]) for product in products]
    left_out, missed = choose(map(Source.of_row, rows), source_filter)
    chosen = [product for product in products if product.name not in left_out]
    doubts = check_doubts(chosen, good, options.on_doubt)

    folder = os.path.join(results, MANIFESTS)
    os.makedirs(folder, exist_ok=True)
    written = write_manifests(
        results, {product.name: manifests[product.name] for product in chosen}
    )
    names = {product.name for product in products}
    gone = names_in(folder).difference(map(manifest_name, names))
    retired = retire_products(results, {file.removesuffix(manifest_name("")) for file in gone})
    for file in gone:
        os.unlink(os.path.join(folder, file))
    write_some(
        os.path.join(results, SKIPPED),
        ("exposure", "path", "reason", "other_kind"),
        [about | {"reason": about["failure"]} for about in unused],
    )
    write_some(
        os.path.join(results, LEFT_OUT),
        LEFT_OUT_COLUMNS,
        [row | {"reason": left_out[name]} for row in rows if (name := row["product"]) in left_out],
    )
    own = [
        *doubts,
        *unopenable(chosen, good),
        *mixture_warnings(chosen, good),
        *part_named(chosen),
        *unusual_names(chosen),
        *renumbered(families, good, options),
        *mixed_elements(families),
        *shared_tables(families),
        *(Diagnostic("note", text) for text in missed),
        *_moved_away(retired, results),
        *(
            Diagnostic("warning", text)
            for association in associations
            for text in association.warnings
        ),
        *(Diagnostic("note", text) for association in associations for text in association.remarks),
    ]
    told = to_rows(own, ((exposure.about, exposure.remarks) for exposure in good))
    write_some(os.path.join(results, REMARKS), DIAGNOSTIC_COLUMNS, told)
    made = [row for row in rows if row["product"] not in left_out]
    write_ecsv(ecsv_path(table), made)
    write_table(table, COLUMNS, made)

    what = f"{pluralize(len(chosen), 'product')} of {pluralize(len(good), 'exposure')}"
    said = f"{what}; {written} new or changed"
    if left_out:
        said += f"; {pluralize(len(left_out), 'source')} left out, see {results}/{LEFT_OUT}"
    if told:
        said += f"; {pluralize(len(told), 'remark')}, see {results}/{REMARKS}"
    skipped = [*filter(None, [others]), *(f"skipped: {reason}" for reason in failed)]
    return [said, *(text for _, text in own), *skipped]


def _moved_away(retired: list[str], results: str) -> list[Diagnostic]:
    """Note on the products that were moved away, all in one; none if none were."""
    if not retired:
        return []
    what = f"{pluralize(len(retired), 'product')} moved to {results}/{STALE}"
    return [
        Diagnostic("note", f"{what}, as there are no such sources any more: {list_some(retired)}")
    ]


def write_manifests(results: str, manifests: Mapping[str, bytes]) -> int:
    """Write those manifests, by product, whose content changed; return how many."""
    changed = [
        name
        for name, content in manifests.items()
        if not has_content(manifest_path(results, name), content)
    ]

    def write(name: str) -> None:
        with atomic_write(manifest_path(results, name)) as file:
            write_all(file, manifests[name])

    if len(changed) < MANY:
        for name in changed:
            write(name)
    else:
        # The disk takes most of the time. Imported only here, as this takes as long as 30 files.
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(THREADS) as threads:
            # A list, so that the first error is raised.
            list(threads.map(write, changed))
    return len(changed)


def write_some(path: str, columns: Sequence[str], rows: list[dict[str, Any]]) -> None:
    """Write a table, or remove it if it would have no rows."""
    if rows:
        write_table(path, columns, rows)
    elif os.path.exists(path):
        os.unlink(path)


def retire_products(results: str, names: Iterable[str]) -> list[str]:
    """Move away products of sources that no longer exist, and their spectra.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    names : iterable of str
        Names of these products.

    Returns
    -------
    list of str
        Files that were moved.
    """
    stale = os.path.join(results, STALE)
    retired = []
    for name in names:
        product = product_path(results, name)
        if not os.path.lexists(product):
            continue
        os.makedirs(stale, exist_ok=True)
        for path in (product, *(spectrum_path(results, name, kind) for kind in SPECTRA)):
            if os.path.lexists(path):
                # The user may have moved the folder to another disk.
                shutil.move(path, os.path.join(stale, os.path.basename(path)))
        retired.append(os.path.basename(product))
    return sorted(retired)


def source_row(product: Product, content: bytes) -> dict[str, Any]:
    """Row of the source list for a product and its manifest; names are separated by commas."""
    # By columns, which takes half the time.
    slits = dict(zip(Slit._fields, zip(*product.slits, strict=True), strict=True))
    names = dict.fromkeys((product.label, *slits["source_name"]))
    waves = [limit for limits in slits["wavelengths"] for limit in limits]
    shapes = [shape for shape in slits["shape"] if len(shape) == 2]
    return {
        "product": product.name,
        "source_id": product.source_id,
        "class": product.kind,
        "source_name": ",".join(filter(None, names)),
        "slit_name": ",".join(filter(None, dict.fromkeys(slits["slit_name"]))),
        "exposures": len(set(slits["exposure"])),
        "slits": len(product.slits),
        "planes": sum(slits["planes"]),
        "bytes": sum(slits["size"]),
        "digest": hashlib.sha256(content).hexdigest()[:16],
        "joined": ",".join(product.joined),
        "detectors": ",".join(sorted(filter(None, set(slits["detector"])))),
        "wavelength_min": min(waves, default=""),
        "wavelength_max": max(waves, default=""),
        "rows": max((rows for rows, _ in shapes), default=""),
        "columns": max((columns for _, columns in shapes), default=""),
        "exposure_type": product.slits[0].exposure_type,
        "family": product.family,
    }


def write_ecsv(path: str, rows: Iterable[dict[str, Any]]) -> None:
    """Write the source list as ECSV, with units (astropy's APE 6, version 1.0)."""
    head = ["%ECSV 1.0", "---", "delimiter: ','", "datatype:"]
    for name in COLUMNS:
        unit = f", unit: {UNITS[name]}" if name in UNITS else ""
        head.append(f"- {{name: {name}{unit}, datatype: {TYPES.get(name, 'string')}}}")
    write_table(path, COLUMNS, rows, ",", "".join(f"# {line}\n" for line in head))
