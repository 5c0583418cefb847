"""Options that several commands have."""

import argparse

from .choosing import Selection


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Add the options that tell which sources are wanted."""
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


def choice_of(arguments: argparse.Namespace) -> Selection:
    """Take the choice from the options, its catalogue read."""
    ids = None
    if arguments.catalog:
        from .catalog import read_catalog

        ids = read_catalog(arguments.catalog)
    return Selection(arguments.sources, arguments.exclude, arguments.min_exposures, ids)
