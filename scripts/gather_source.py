"""Write one source-based product from its manifest."""

import os
import sys

from exp_to_source.errors import exit_on_user_error
from exp_to_source.gather.product import gather_source
from exp_to_source.results import INDICES


def read_options(words: list[str]) -> tuple[str, str, str, str]:
    """Manifest, product, folder of the indices, and record of a failure (empty: none)."""
    from argparse import ArgumentParser

    parser = ArgumentParser(description=__doc__)
    parser.add_argument("manifest", help="manifest of the product (*.txt)")
    parser.add_argument("product", help="product to write (*_cal.fits)")
    parser.add_argument(
        "--indices",
        metavar="FOLDER",
        default="",
        help="where the indices are; by default 'index' beside the manifest's folder",
    )
    parser.add_argument(
        "--record-failure",
        metavar="FILE",
        default="",
        help="if it cannot be made: write why to FILE, leave an empty product, and succeed",
    )
    given = parser.parse_args(words)
    return given.manifest, given.product, given.indices, given.record_failure


def main() -> None:
    """Read the command line, write the product."""
    words = sys.argv[1:]
    # Without options, argparse would be a tenth of the job.
    plain = len(words) == 2 and not any(word.startswith("-") for word in words)
    manifest, product, indices, record = (*words, "", "") if plain else read_options(words)
    if not indices:
        results = os.path.dirname(os.path.dirname(os.path.abspath(manifest)))
        indices = os.path.join(results, INDICES)
    try:
        with exit_on_user_error("gather_source"):
            gather_source(manifest, product, indices)
    except SystemExit as failure:
        if not record:
            raise
        from exp_to_source.failures import record_failure

        with exit_on_user_error("gather_source"):
            record_failure(record, [product], str(failure))
        print(failure, file=sys.stderr)


if __name__ == "__main__":
    main()
    # Nothing is left to flush or to close, and the usual end of Python is a tenth of a gather.
    os._exit(0)
