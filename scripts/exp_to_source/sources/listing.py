"""Write the source list of a run: a table, and a manifest for each product."""

import contextlib
import os
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence

from .. import results as names
from ..diagnostics import Diagnostic
from ..errors import InputError, list_some, pluralize
from ..files import has_content, names_in, write_file
from ..formats.manifests import digest_manifest
from ..tables import count_other_kinds, read_table, write_table
from .associations import Association
from .catalog import add_places
from .choosing import ALL_SOURCES, SourceFilter, choose
from .doubts import check_doubts, is_moving
from .entries import write_entries, write_regions
from .families import DEFAULT_OPTIONS, GroupingOptions, Slit, make_families, read_exposures
from .join_table import Joins, parse_row
from .joining import NO_JOINS, join_slits
from .place_joins import COLUMNS as JOIN_COLUMNS
from .place_joins import join_by_place
from .products import Product, make_products, manifest
from .source_list import Source, write_source_list
from .warnings import find_warnings

#: As many manifests, or more, are written by several threads.
PARALLEL_THRESHOLD = 100

#: More threads only wait for each other.
MAX_WORKERS = 4

#: Columns of the tables of exposures without slits, of remarks, and of sources that are left out.
SKIPPED_COLUMNS = ("exposure", "path", "reason", "other_kind")
REMARK_COLUMNS = ("level", "exposure", "path", "remark")
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
        The table to write, in the folder of the run's results: manifests are written to
        ``manifests`` beside it, products of sources that no longer exist are moved from
        ``products`` to ``stale``.
    associations : sequence of Association
        Families of exposures; other exposures are named after their headers.
    options : GroupingOptions
        How slits are grouped and products named.
    source_filter : SourceFilter
        Which sources the user wants; ``left_out.tsv`` lists the others. Its catalogue has the
        places of sources of grisms whose headers have none.
    joins : Joins
        Slits to be put in one product.

    Returns
    -------
    list of str
        A summary, and warnings and notes on the run as a whole. ``remarks.tsv`` contains these, and
        those on exposures.

    Raises
    ------
    InputError
        If sources cannot be distinguished, products cannot be named, a choice matches nothing, or
        there are doubts that end the run. Nothing is written then.
    """
    results = os.path.dirname(table)
    exposures = list(read_exposures(indices, options))
    unused = [exposure.header for exposure in exposures if "failure" in exposure.header]
    failures = [header["failure"] for header in unused if "other_kind" not in header]
    ignored = count_other_kinds(unused)
    exposures = [exposure for exposure in exposures if "failure" not in exposure.header]
    if failures and not exposures:
        raise InputError(f"none of the {len(failures)} exposures can be read: {failures[0]}")
    if not exposures:
        raise InputError(f"no exposures to regroup: {ignored}; correct the setting 'exposures'")
    if source_filter.catalog:
        exposures = list(add_places(exposures, source_filter.catalog))
    families = make_families(exposures, associations, options)
    moving = {exposure.name for exposure in exposures if is_moving(exposure.header)}
    by_place, doubtful = (
        join_by_place(families, joins, options, moving) if options.join_radius else ([], [])
    )
    locations = (f"join_radius, {row['joined']}, {row['source_id']}" for row in by_place)
    joins = Joins([*joins.rows, *map(parse_row, locations, by_place)])
    families, joined = join_slits(families, joins, options)
    products = make_products(families, options, joined)
    manifests = {product.name: manifest(product) for product in products}
    sources = [describe_source(product, manifests[product.name]) for product in products]
    of_moving = {p.name for p in products if any(slit.exposure in moving for slit in p.slits)}
    left_out, notes = choose(sources, source_filter, of_moving)
    if options.join_radius and moving:
        notes.append(f"not joined by place, as their targets move: {list_some(sorted(moving))}")
    chosen = [product for product in products if product.name not in left_out]
    diagnostics = [
        *doubtful,
        *check_doubts(chosen, exposures, options.on_doubt),
        *find_warnings(chosen, families, exposures, options),
        *(Diagnostic("note", text) for text in notes),
    ]

    written = write_manifests(results, {p.name: manifests[p.name] for p in chosen})
    diagnostics += retire_products(results, manifests)
    retire_tables(table, {product.family for product in products})
    for association in associations:
        diagnostics += association.diagnostics
    groups = [({}, diagnostics), *((item.header, item.diagnostics) for item in exposures)]
    remarks = [
        header | {"level": level, "remark": text}
        for header, items in groups
        for level, text in items
    ]
    remarks.sort(key=lambda row: row["level"] != "warning")
    skipped = [header | {"reason": header["failure"]} for header in unused]
    omitted = [source for source in sources if source.product in left_out]
    omissions = [source.to_row() | {"reason": left_out[source.product]} for source in omitted]
    for name, columns, rows in (
        (names.SKIPPED, SKIPPED_COLUMNS, skipped),
        (names.LEFT_OUT, LEFT_OUT_COLUMNS, omissions),
        (names.REMARKS, REMARK_COLUMNS, remarks),
        (names.JOINS, JOIN_COLUMNS, by_place),
    ):
        write_table(os.path.join(results, name), columns, rows)
    write_entries(os.path.join(results, names.EXPOSURES), chosen)
    write_regions(os.path.join(results, names.REGIONS), chosen)
    write_source_list(table, (source for source in sources if source.product not in left_out))

    summary = f"{pluralize(len(chosen), 'product')} of {pluralize(len(exposures), 'exposure')}"
    summary += f"; {written} new or changed"
    see = f"see {results}"
    if left_out:
        summary += f"; {pluralize(len(left_out), 'source')} left out, {see}/{names.LEFT_OUT}"
    if remarks:
        summary += f"; {pluralize(len(remarks), 'remark')}, {see}/{names.REMARKS}"
    if by_place:
        apart = max(float(row["separation"]) for row in by_place)
        count = len({(row["target"], row["product"]) for row in by_place})
        what = f'{pluralize(count, "product")} joined by place, up to {apart:.2f}" apart'
        summary += f"; {what}, {see}/{names.JOINS}"
    messages = [summary, *(text for _, text in diagnostics), *filter(None, [ignored])]
    return [*messages, *(f"skipped: {reason}" for reason in failures)]


def describe_source(product: Product, content: bytes) -> Source:
    """Describe the source of a product with a manifest of that content."""
    # By columns, which takes half the time.
    slits = dict(zip(Slit._fields, zip(*product.slits, strict=True), strict=True))
    source_names = dict.fromkeys((product.label, *slits["source_name"]))
    waves = [limit for limits in slits["wavelengths"] for limit in limits]
    shapes = [shape for shape in slits["shape"] if len(shape) == 2]
    # Of the first slit that has one: several are a doubt (`doubts.several_positions`).
    place = next(filter(None, slits["position"]), "")
    ra, dec = map(float, place.split()) if place else (None, None)
    exposures = dict.fromkeys(slits["exposure"])
    return Source(
        product=product.name,
        source_id=product.source_id,
        class_=product.class_,
        source_name=",".join(filter(None, source_names)),
        slit_name=",".join(filter(None, dict.fromkeys(slits["slit_name"]))),
        ra=ra,
        dec=dec,
        source_type=",".join(sorted(filter(None, set(slits["source_type"])))),
        exposures=len(exposures),
        slits=len(product.slits),
        planes=sum(slits["planes"]),
        bytes=sum(slits["size"]),
        digest=digest_manifest(content),
        joined=",".join(product.joined),
        detectors=",".join(sorted(filter(None, set(slits["detector"])))),
        wavelength_min=min(waves, default=None),
        wavelength_max=max(waves, default=None),
        rows=max((rows for rows, _ in shapes), default=None),
        columns=max((columns for _, columns in shapes), default=None),
        exposure_type=product.slits[0].exposure_type,
        family=product.family,
        exposure_names=",".join(exposures),
    )


def write_manifests(results: str, manifests: Mapping[str, bytes]) -> int:
    """Write those manifests, by product, whose content changed; return how many."""
    os.makedirs(os.path.join(results, names.MANIFESTS), exist_ok=True)
    files = {names.manifest_path(results, name): content for name, content in manifests.items()}
    changed = {path: files[path] for path in files if not has_content(path, files[path])}
    if len(changed) < PARALLEL_THRESHOLD:
        for path, content in changed.items():
            write_file(path, content)
    else:
        # The disk takes most of the time. Imported only here, as this takes as long as 30 files.
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(MAX_WORKERS) as threads:
            # A list, so that the first error is raised.
            list(threads.map(write_file, changed, changed.values()))
    return len(changed)


def retire_products(results: str, products: Iterable[str]) -> list[Diagnostic]:
    """Remove the manifests of sources that no longer exist; move their products to ``stale``."""
    manifests, stale = os.path.join(results, names.MANIFESTS), os.path.join(results, names.STALE)
    moved = []
    for manifest_file in names_in(manifests).difference(map(names.manifest_name, products)):
        name = manifest_file.removesuffix(names.manifest_name(""))
        product = names.product_path(results, name)
        if os.path.lexists(product):
            os.makedirs(stale, exist_ok=True)
            spectra = (names.spectrum_path(results, name, kind) for kind in names.SPECTRA)
            for path in (product, *filter(os.path.lexists, spectra)):
                # The user may have moved the folder to another disk.
                shutil.move(path, os.path.join(stale, os.path.basename(path)))
            moved.append(os.path.basename(product))
        os.unlink(os.path.join(manifests, manifest_file))
    if not moved:
        return []
    what = f"{pluralize(len(moved), 'product')} moved to {results}/{names.STALE}"
    text = f"{what}, as there are no such sources any more: {list_some(sorted(moved))}"
    return [Diagnostic("note", text)]


def retire_tables(table: str, families: Collection[str]) -> None:
    """Move the spectra of product groups of the earlier list that no longer exist to ``stale``."""
    results = os.path.dirname(table)
    folder = os.path.join(results, names.STALE)
    # A damaged list is written again.
    with contextlib.suppress(InputError):
        earlier = {row.get("family", "") for row in read_table(table)} - {"", *families}
        for family in earlier:
            tables = (names.spectrum_path(results, family, k) for k in names.GRISM_SPECTRA)
            for path in filter(os.path.lexists, (names.stack_path(results, family), *tables)):
                os.makedirs(folder, exist_ok=True)
                shutil.move(path, os.path.join(folder, os.path.basename(path)))
