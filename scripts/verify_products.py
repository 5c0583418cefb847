"""Compare products with the fingerprints of their exposures."""

import argparse

from exp_to_source.errors import exit_on_user_error
from exp_to_source.run.options import add_joins, join_lookup


def main() -> None:
    """Read the command line, write the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("verdicts", help="file to write (*.jsonl)")
    add("--products", nargs="+", required=True, help="products to verify (*_cal.fits)")
    add("--fingerprints", required=True, metavar="FOLDER", help="where the fingerprints are")
    add("--manifests", required=True, metavar="FOLDER", help="where the manifests are")
    add("--associations", nargs="*", default=[], help="level 3 associations of the run")
    add_joins(parser)
    arguments = parser.parse_args()
    with exit_on_user_error("verify_products"):
        from exp_to_source.sources.associations import read_association
        from exp_to_source.verify.products import Verifier
        from exp_to_source.verify.verdicts import write_verdicts

        associations = [read_association(path) for path in arguments.associations]
        verifier = Verifier(
            arguments.fingerprints, associations, join_lookup(arguments), arguments.manifests
        )
        write_verdicts(arguments.verdicts, map(verifier.verify, arguments.products))


if __name__ == "__main__":
    main()
