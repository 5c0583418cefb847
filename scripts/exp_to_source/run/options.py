"""Options shared by several commands."""

import argparse

from ..sources.choosing import SourceFilter
from ..sources.join_table import Joins, read_joins
from ..verify.join_lookup import JoinLookup


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose sources."""
    add = parser.add_argument
    add(
        "--sources",
        action="append",
        default=[],
        metavar="ITEM",
        help="make these only: 61, 100-120, b00045, a name, a glob, class:s; may be repeated",
    )
    add("--exclude", action="append", default=[], metavar="ITEM", help="leave these out")
    add("--min-exposures", type=int, default=1, metavar="N", help="leave out sources of fewer")
    add("--catalog", metavar="TABLE", help="make the sources whose ids it has, besides --sources")


def choice_of(arguments: argparse.Namespace) -> SourceFilter:
    """Read the choice, including its catalogue, from the options."""
    ids = None
    if arguments.catalog:
        from ..sources.catalog import read_catalog

        ids = read_catalog(arguments.catalog)
    return SourceFilter(arguments.sources, arguments.exclude, arguments.min_exposures, ids)


def add_joins(parser: argparse.ArgumentParser) -> None:
    """Add the options that join slits."""
    add = parser.add_argument
    add("--joins", metavar="TABLE", help="slits that are to be in one product (TSV or YAML)")
    add("--fixed-slit-ids", choices=("header", "table"), default="header")


def joins_of(arguments: argparse.Namespace) -> Joins:
    """Read the table of joins that the options name."""
    return read_joins(arguments.joins) if arguments.joins else Joins()


def join_lookup(arguments: argparse.Namespace) -> JoinLookup:
    """Read the same table for verification."""
    return JoinLookup(joins_of(arguments), arguments.fixed_slit_ids)
