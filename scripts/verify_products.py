"""Compare products with the fingerprints of their exposures."""

import argparse

from exp_to_source.errors import told_in_a_sentence
from exp_to_source.options import add_joins, claims_of


def main() -> None:
    """Read the command line, write the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("verdicts", help="file to write (*.jsonl)")
    add("--products", nargs="+", required=True, help="products to verify (*_cal.fits)")
    add("--fingerprints", required=True, metavar="FOLDER", help="where the fingerprints are")
    add("--associations", nargs="*", default=[], help="level 3 associations of the run")
    add_joins(parser)
    arguments = parser.parse_args()
    with told_in_a_sentence("verify_products"):
        from exp_to_source.association import read_association
        from exp_to_source.files import date_now_if_ahead
        from exp_to_source.verdicts import write_verdicts
        from exp_to_source.verify import Verifier

        associations = [read_association(path) for path in arguments.associations]
        verifier = Verifier(arguments.fingerprints, associations, claims_of(arguments))
        verdicts = [verifier.verify(path) for path in arguments.products]
        for path in arguments.products:
            date_now_if_ahead(path)
        write_verdicts(arguments.verdicts, verdicts)


if __name__ == "__main__":
    main()
