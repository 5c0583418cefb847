"""The source list of a run: a table, and a manifest for each product."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from typing import Any

from .association import Association
from .errors import InputError
from .files import replacing, write_all, write_if_changed
from .grouping import (
    COLUMNS,
    Choices,
    make_families,
    make_products,
    manifest,
    read_exposures,
    source_row,
)
from .naming import parse_product_name


def list_sources(
    indices: Iterable[str],
    associations: list[Association],
    choices: Choices,
    results: str,
    table: str,
) -> list[str]:
    """Group the slits of all exposures and write what the products need.

    A manifest is written only where its content changed, so that its modification time tells
    which products have to be made again. Manifests of no product are removed. The table comes
    last: where it is, the manifests are complete.

    Parameters
    ----------
    indices : iterable of str
        Indices of the exposures, in the order that entries of products are to have.
    associations : list of Association
        Families of exposures; those in none of them are named after their headers.
    choices : Choices
        The user's.
    results : str
        Folder of the run's results: manifests are written to ``manifests`` in it, products of
        sources that are gone are moved from ``products`` to ``stale``.
    table : str
        The table to write.

    Returns
    -------
    list of str
        Remarks, in a sentence each.

    Raises
    ------
    InputError
        If sources cannot be told apart or products not be named; then nothing is written.
    """
    exposures = list(read_exposures(indices, choices))
    failed = [about for about, _ in exposures if "failure" in about]
    good = [(about, slits) for about, slits in exposures if "failure" not in about]
    if not good:
        raise InputError(f"none of the {len(failed)} exposures can be read: {failed[0]['failure']}")
    products = make_products(make_families(good, associations, choices), choices)

    folder = os.path.join(results, "manifests")
    os.makedirs(folder, exist_ok=True)
    written = sum(
        write_if_changed(os.path.join(folder, f"{product.name}.json"), manifest(product))
        for product in products
    )
    names = {product.name for product in products}
    for file in os.listdir(folder):
        if file.removesuffix(".json") not in names:
            os.unlink(os.path.join(folder, file))
    retired = retire_products(results, names)
    write_skipped(os.path.join(results, "skipped.tsv"), failed)
    write_table(table, COLUMNS, map(source_row, products))

    remarks = [f"{len(products)} products of {len(good)} exposures; {written} new or changed"]
    remarks += (f"skipped: {about['failure']}" for about in failed)
    remarks += (f"{name}: its source is gone; moved to {results}/stale" for name in retired)
    for asn in associations:
        if asn.background:
            remarks.append(
                f"{asn.path}: its {len(asn.background)} background members are not regrouped; "
                "master background must have been subtracted from the science members already"
            )
    return remarks


def write_skipped(path: str, failed: list[dict[str, Any]]) -> None:
    """List the exposures that were skipped; where there are none, no file stays."""
    if failed:
        rows = (
            {"exposure": about["exposure"], "path": about["path"], "reason": about["failure"]}
            for about in failed
        )
        write_table(path, ("exposure", "path", "reason"), rows)
    elif os.path.exists(path):
        os.unlink(path)


def write_table(path: str, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write a tab-separated table."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with replacing(path) as file:
        write_all(file, text.getvalue().encode())


def retire_products(results: str, names: set[str]) -> list[str]:
    """Move away products of sources that are gone.

    Parameters
    ----------
    results : str
        Folder of the run's results.
    names : set of str
        Names of the current products.

    Returns
    -------
    list of str
        Files that were moved.
    """
    folder, stale = os.path.join(results, "products"), os.path.join(results, "stale")
    retired = []
    for file in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        name = file.removesuffix("_cal.fits")
        if name not in names and name != file and parse_product_name(name):
            os.makedirs(stale, exist_ok=True)
            os.replace(os.path.join(folder, file), os.path.join(stale, file))
            retired.append(file)
    return retired


def read_products(table: str) -> list[str]:
    """Names of the products in a source list.

    Raises
    ------
    InputError
        If it is none (any more).
    """
    try:
        with open(table, encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t")
            if "product" in (rows.fieldnames or ()):
                return [row["product"] for row in rows]
    except (ValueError, csv.Error):
        pass
    raise InputError(f"{table}: is no source list any more; delete it and run again")
