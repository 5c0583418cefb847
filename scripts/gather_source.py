"""Write one source-based product from its manifest."""

import argparse
import os
import sys
from functools import partial

from exp_to_source.errors import told_in_a_sentence
from exp_to_source.files import redate
from exp_to_source.formats.previous import forget_previous
from exp_to_source.gather.product import gather_source
from exp_to_source.results import INDICES


def main() -> None:
    """Read the command line, write the product."""
    # With a fixed width, argparse does not import shutil to find one: a tenth of the start.
    formatter = partial(argparse.HelpFormatter, width=100)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("manifest", help="manifest of the product (*.json)")
    parser.add_argument("product", help="product to write (*_cal.fits)")
    parser.add_argument(
        "--indices",
        metavar="FOLDER",
        help="where the indices are; by default 'index' beside the manifest's folder",
    )
    parser.add_argument(
        "--record-failure",
        metavar="FILE",
        help="if it cannot be made: write why to FILE, leave an empty product, and succeed",
    )
    arguments = parser.parse_args()
    results = os.path.dirname(os.path.dirname(os.path.abspath(arguments.manifest)))
    indices = arguments.indices or os.path.join(results, INDICES)
    try:
        with told_in_a_sentence("gather_source"):
            redate([arguments.manifest])
            gather_source(arguments.manifest, arguments.product, indices)
            forget_previous(arguments.product)
    except SystemExit as failure:
        if not arguments.record_failure:
            raise
        from exp_to_source.formats.failures import record_failure

        record_failure(arguments.record_failure, [arguments.product], str(failure))
        print(failure, file=sys.stderr)


if __name__ == "__main__":
    main()
