"""Write the source list of a run: a table, and a manifest for each product."""

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
    manifest_name,
    manifest_path,
    product_path,
    spectrum_path,
)
from ..tables import count_other_kinds, write_table
from .associations import Association
from .choosing import ALL_SOURCES, SourceFilter, choose
from .doubts import check_doubts
from .families import DEFAULT_OPTIONS, GroupingOptions, Slit, make_families, read_exposures
from .join_table import Joins
from .joining import NO_JOINS, join_slits
from .products import Product, make_products, manifest
from .source_list import Source, write_source_list
from .warnings import product_warnings, run_warnings

#: As many manifests, or more, are written by several threads.
PARALLEL_THRESHOLD = 100

#: More threads only wait for each other.
MAX_WORKERS = 4

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

    A manifest is written only if its content changed. Manifests of sources that no longer exist
    are removed. Those of sources that are not chosen stay, so that their products are not rerun
    if a later run chooses them. The table is written last: if it exists, the manifests of the
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
        Which sources the user wants; ``left_out.tsv`` of `results` lists the others.
    joins : Joins
        Slits to be put in one product.
    results : str, optional
        Folder of the run's results, by default that of the table: manifests are written to
        ``manifests`` in it, products of sources that no longer exist are moved from ``products``
        to ``stale``.

    Returns
    -------
    list of str
        Messages: a summary, and warnings and notes on the run as a whole. ``remarks.tsv`` in
        `results` contains these, and those on exposures.

    Raises
    ------
    InputError
        If sources cannot be distinguished, products cannot be named, a choice matches nothing, or
        there are doubts that end the run. Nothing is written then.
    """
    results = results or os.path.dirname(table)
    summaries = list(read_exposures(indices, options))
    unused = [exposure.header for exposure in summaries if "failure" in exposure.header]
    failures = [header["failure"] for header in unused if "other_kind" not in header]
    ignored = count_other_kinds(unused)
    exposures = [exposure for exposure in summaries if "failure" not in exposure.header]
    if failures and not exposures:
        raise InputError(f"none of the {len(failures)} exposures can be read: {failures[0]}")
    if not exposures:
        raise InputError(f"no exposures to regroup: {ignored}; correct the setting 'exposures'")
    families = make_families(exposures, associations, options)
    families, joined = join_slits(families, joins, options)
    products = make_products(families, options, joined)
    manifests = {product.name: manifest(product) for product in products}
    sources = [describe_source(product, manifests[product.name]) for product in products]
    left_out, notes = choose(sources, source_filter)
    chosen = [product for product in products if product.name not in left_out]
    doubts = check_doubts(chosen, exposures, options.on_doubt)

    written = write_manifests(
        results, {product.name: manifests[product.name] for product in chosen}
    )
    retired = retire_products(results, manifests)
    write_or_remove(
        os.path.join(results, SKIPPED),
        ("exposure", "path", "reason", "other_kind"),
        [header | {"reason": header["failure"]} for header in unused],
    )
    write_or_remove(
        os.path.join(results, LEFT_OUT),
        LEFT_OUT_COLUMNS,
        [
            source.to_row() | {"reason": left_out[source.product]}
            for source in sources
            if source.product in left_out
        ],
    )
    diagnostics = [
        *doubts,
        *product_warnings(chosen, exposures),
        *run_warnings(families, exposures, options),
        *(Diagnostic("note", text) for text in notes),
        *retired,
        *(diagnostic for association in associations for diagnostic in association.diagnostics),
    ]
    rows = to_rows(diagnostics, ((exposure.header, exposure.diagnostics) for exposure in exposures))
    write_or_remove(os.path.join(results, REMARKS), DIAGNOSTIC_COLUMNS, rows)
    write_source_list(table, (source for source in sources if source.product not in left_out))

    summary = f"{pluralize(len(chosen), 'product')} of {pluralize(len(exposures), 'exposure')}"
    summary += f"; {written} new or changed"
    if left_out:
        summary += f"; {pluralize(len(left_out), 'source')} left out, see {results}/{LEFT_OUT}"
    if rows:
        summary += f"; {pluralize(len(rows), 'remark')}, see {results}/{REMARKS}"
    skipped = [*filter(None, [ignored]), *(f"skipped: {reason}" for reason in failures)]
    return [summary, *(text for _, text in diagnostics), *skipped]


def describe_source(product: Product, content: bytes) -> Source:
    """Describe the source of a product with a manifest of that content."""
    # By columns, which takes half the time.
    slits = dict(zip(Slit._fields, zip(*product.slits, strict=True), strict=True))
    names = dict.fromkeys((product.label, *slits["source_name"]))
    waves = [limit for limits in slits["wavelengths"] for limit in limits]
    shapes = [shape for shape in slits["shape"] if len(shape) == 2]
    return Source(
        product=product.name,
        source_id=product.source_id,
        class_=product.kind,
        source_name=",".join(filter(None, names)),
        slit_name=",".join(filter(None, dict.fromkeys(slits["slit_name"]))),
        exposures=len(set(slits["exposure"])),
        slits=len(product.slits),
        planes=sum(slits["planes"]),
        bytes=sum(slits["size"]),
        digest=hashlib.sha256(content).hexdigest()[:16],
        joined=",".join(product.joined),
        detectors=",".join(sorted(filter(None, set(slits["detector"])))),
        wavelength_min=min(waves, default=None),
        wavelength_max=max(waves, default=None),
        rows=max((rows for rows, _ in shapes), default=None),
        columns=max((columns for _, columns in shapes), default=None),
        exposure_type=product.slits[0].exposure_type,
        family=product.family,
    )


def write_manifests(results: str, manifests: Mapping[str, bytes]) -> int:
    """Write those manifests, by product, whose content changed; return how many."""
    os.makedirs(os.path.join(results, MANIFESTS), exist_ok=True)
    changed = [
        name
        for name, content in manifests.items()
        if not has_content(manifest_path(results, name), content)
    ]

    def write(name: str) -> None:
        with atomic_write(manifest_path(results, name)) as file:
            write_all(file, manifests[name])

    if len(changed) < PARALLEL_THRESHOLD:
        for name in changed:
            write(name)
    else:
        # The disk takes most of the time. Imported only here, as this takes as long as 30 files.
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(MAX_WORKERS) as threads:
            # A list, so that the first error is raised.
            list(threads.map(write, changed))
    return len(changed)


def write_or_remove(path: str, columns: Sequence[str], rows: list[dict[str, Any]]) -> None:
    """Write a table, or remove it if it would have no rows."""
    if rows:
        write_table(path, columns, rows)
    elif os.path.exists(path):
        os.unlink(path)


def retire_products(results: str, products: Iterable[str]) -> list[Diagnostic]:
    """Remove the manifests of sources that no longer exist; move their products to ``stale``."""
    manifests, stale = os.path.join(results, MANIFESTS), os.path.join(results, STALE)
    moved = []
    for manifest_file in names_in(manifests).difference(map(manifest_name, products)):
        name = manifest_file.removesuffix(manifest_name(""))
        product = product_path(results, name)
        if os.path.lexists(product):
            os.makedirs(stale, exist_ok=True)
            spectra = (spectrum_path(results, name, kind) for kind in SPECTRA)
            for path in (product, *filter(os.path.lexists, spectra)):
                # The user may have moved the folder to another disk.
                shutil.move(path, os.path.join(stale, os.path.basename(path)))
            moved.append(os.path.basename(product))
        os.unlink(os.path.join(manifests, manifest_file))
    if not moved:
        return []
    what = f"{pluralize(len(moved), 'product')} moved to {results}/{STALE}"
    return [
        Diagnostic(
            "note", f"{what}, as there are no such sources any more: {list_some(sorted(moved))}"
        )
    ]
