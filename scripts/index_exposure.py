"""Index an exposure: the offsets of the bytes of each slit, its identity, and its digest."""

import argparse
import gc
import sys

from exp_to_source.errors import InputError, OtherKindError, exit_on_user_error


def main() -> None:
    """Read the command line, write the index."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("exposure", help="exposure-based product (*_cal.fits, *_mbsub.fits)")
    parser.add_argument("index", help="index to write (*.txt)")
    parser.add_argument(
        "--on-bad-exposure",
        choices=("stop", "skip"),
        default="stop",
        help="skip: where the exposure is at fault, write the reason as its index, and succeed",
    )
    parser.add_argument(
        "--on-other-kind",
        choices=("stop", "pass"),
        default="stop",
        help="pass: where the file is of another kind by its header, write that as its index",
    )
    arguments = parser.parse_args()
    # Nodes of a tree have no reference cycles; searching for them takes 7 % of the time.
    gc.disable()
    with exit_on_user_error("index_exposure"):
        from exp_to_source.index.indexing import index_or_reason

        try:
            remarks = index_or_reason(
                arguments.exposure,
                arguments.index,
                skip_bad=arguments.on_bad_exposure == "skip",
                pass_over=arguments.on_other_kind == "pass",
            )
        except OtherKindError:
            raise
        except InputError as error:
            raise InputError(
                f"{error}, or set 'on_bad_exposure: skip' to go on without it"
            ) from None
        for _, remark in remarks:
            print(f"{arguments.exposure}: {remark}", file=sys.stderr)


if __name__ == "__main__":
    main()
