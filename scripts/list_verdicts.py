"""List the verdicts on all products."""

import argparse

from exp_to_source.errors import exit_on_user_error
from exp_to_source.run.options import add_joins, join_lookup


def main() -> None:
    """Read the command line, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("table", help="table to write (tab-separated)")
    add("--source-list", required=True, metavar="TABLE", help="source list of the run")
    add("--verdicts", nargs="+", required=True, help="verdicts on its products")
    add("--fingerprints", nargs="+", required=True, help="fingerprints of its exposures")
    add("--associations", nargs="*", default=[], help="level 3 associations of the run")
    add_joins(parser)
    arguments = parser.parse_args()
    with exit_on_user_error("list_verdicts"):
        from exp_to_source.sources.associations import read_association
        from exp_to_source.verify.verdicts import list_verdicts

        list_verdicts(
            table=arguments.table,
            verdicts=arguments.verdicts,
            fingerprints=arguments.fingerprints,
            associations=[read_association(path) for path in arguments.associations],
            sources=arguments.source_list,
            joins=join_lookup(arguments),
        )


if __name__ == "__main__":
    main()
