"""List the sources of indexed exposures, and write a manifest for each product.

Options can also be in a file, one per line: list_sources.py @options.txt
"""

import argparse
import gc
import os
import sys

from exp_to_source.errors import exit_on_user_error
from exp_to_source.run.options import add_choice, add_joins, choice_of, joins_of


def main() -> None:
    """Read the command line, write table and manifests."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        fromfile_prefix_chars="@",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("indices", nargs="+", metavar="INDEX", help="indices of the exposures, in order")
    add("--table", required=True, help="source list to write (tab-separated)")
    add(
        "--results",
        metavar="FOLDER",
        help="where the folders 'manifests' and 'products' are; by default that of the table",
    )
    add(
        "--association",
        action="append",
        default=[],
        metavar="ASN",
        help="level 3 association that names and groups its science members; may be repeated",
    )
    add("--group-by", choices=("auto", "source_id", "source_name"), default="auto")
    add("--source-id-digits", choices=("auto", "5", "9"), default="auto")
    add("--on-bad-exposure", choices=("stop", "skip"), default="stop")
    add("--on-doubt", choices=("auto", "warn", "stop"), default="auto")
    add_choice(parser)
    add_joins(parser)
    arguments = parser.parse_args()
    # Slits are in no reference cycles; searching for them takes a tenth of the time.
    gc.disable()
    with exit_on_user_error("list_sources"):
        from exp_to_source.sources.associations import read_association
        from exp_to_source.sources.families import GroupingOptions
        from exp_to_source.sources.listing import list_sources

        remarks = list_sources(
            indices=arguments.indices,
            associations=[read_association(path) for path in arguments.association],
            options=GroupingOptions(
                arguments.group_by,
                arguments.source_id_digits,
                arguments.fixed_slit_ids,
                arguments.on_bad_exposure,
                arguments.on_doubt,
            ),
            results=arguments.results or os.path.dirname(arguments.table),
            table=arguments.table,
            source_filter=choice_of(arguments),
            joins=joins_of(arguments),
        )
        for remark in remarks:
            print(remark, file=sys.stderr)


if __name__ == "__main__":
    main()
