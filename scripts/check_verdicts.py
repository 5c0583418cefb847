"""Summarise the verdicts on products, and fail if a product is not sound."""

import argparse
import sys

from exp_to_source.errors import exit_on_user_error


def main() -> None:
    """Read the command line, and print a summary of the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", help="table of verdicts")
    arguments = parser.parse_args()
    with exit_on_user_error("verify"):
        from exp_to_source.verify.verdicts import check_verdicts

        print(check_verdicts(arguments.table), file=sys.stderr)


if __name__ == "__main__":
    main()
