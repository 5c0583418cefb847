"""Rows of the source list, for rules."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Any

from ..errors import InputError, did_you_mean
from ..modes import is_grism
from ..results import GRISM_SPECTRA, LEFT_OUT, SOURCES, spectrum_path
from ..tables import read_sources, read_table

Row = Mapping[str, str]


@cache
def read_rows(
    table: str, state: Any, check: Callable[[], None] | None
) -> dict[str, dict[str, str]]:
    """Check a source list, and read its rows by product: once for each state of the file."""
    if check:
        check()
    return read_sources(table)


def find_row(rows: Mapping[str, Row], name: str, results: str) -> Row:
    """Return the row of a product.

    Raises
    ------
    InputError
        If there is no such product, or the settings leave it out.
    """
    if name in rows:
        return rows[name]
    left_out = {row["product"]: row["reason"] for row in read_table(f"{results}/{LEFT_OUT}")}
    if name in left_out:
        raise InputError(
            f"{name}: {left_out[name]}; to make it, change the settings 'sources', 'catalog', "
            "'exclude' or 'min_exposures'"
        )
    hint = did_you_mean(name, rows)
    raise InputError(f"{name}: the exposures have no such source{hint}; see {results}/{SOURCES}")


def select_classes(rows: Mapping[str, Row], classes: Collection[str]) -> dict[str, Row]:
    """Return the rows of sources of some classes."""
    return {name: row for name, row in rows.items() if row["class"] in classes}


def select_family(rows: Mapping[str, Row], family: str, results: str) -> dict[str, Row]:
    """Return the rows of a family of a grism.

    Raises
    ------
    InputError
        If there are none.
    """
    members = {
        name: row
        for name, row in rows.items()
        if row["family"] == family and is_grism(row["exposure_type"])
    }
    if not members:
        raise InputError(f"{family}: no source of a grism in it is wanted; see {results}/{SOURCES}")
    return members


def spectrum_paths(rows: Mapping[str, Row]) -> list[str]:
    """Return the paths of the spectra of products, and of tables of those of grisms."""
    tables = sorted({row["family"] for row in rows.values() if is_grism(row["exposure_type"])})
    spectra = [(name, "x1d") for name in rows]
    spectra += [(family, kind) for family in tables for kind in GRISM_SPECTRA]
    return [spectrum_path("results", name, kind) for name, kind in spectra]


def one_of(words: Iterable[str]) -> str:
    """Return the pattern of a wildcard that is one of some words."""
    return "|".join(map(re.escape, words)) or "(?!)"
