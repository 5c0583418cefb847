"""Put the spectra of all sources of a grism together, as the pipeline does at its end."""

import argparse
from pathlib import Path

from exp_to_source.errors import told_in_a_sentence
from exp_to_source.spec3.offline import without_crds
from exp_to_source.spec3.steps import require_jwst


def main() -> None:
    """Read the command line, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("x1d", type=Path, help="table to write (<family>_x1d.fits)")
    add("c1d", type=Path, help="table of combined spectra to write (<family>_c1d.fits)")
    add("--table", type=Path, required=True, help="source list; the spectra are beside it")
    add("--classes", default="s", help="classes of the sources: s, b, v (%(default)s)")
    add("--indices", type=Path, nargs="+", required=True, help="of the exposures, in their order")
    arguments = parser.parse_args()
    with told_in_a_sentence("combine_spectra"):
        require_jwst()
        with without_crds():
            from exp_to_source.spec3.families import combine_family

            given = arguments
            combine_family(given.table, given.classes, given.indices, given.x1d, given.c1d)


if __name__ == "__main__":
    main()
