"""Import jwst once, and fork for each job that asks; run_spec3.py --fork starts it."""

import argparse
import os
from contextlib import nullcontext

from exp_to_source.run.server import serve
from exp_to_source.spec3.jobs import do_task
from exp_to_source.spec3.offline import without_crds


def main() -> None:
    """Read the command line, serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="path of the socket")
    parser.add_argument("--offline", action="store_true", help="do without CRDS")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with without_crds() if arguments.offline else nullcontext():
        import asdf

        import exp_to_source.spec3.families  # noqa: F401

        # The first of a process looks all extensions up: a quarter of a job.
        asdf.AsdfFile()
        serve(arguments.address, do_task)


if __name__ == "__main__":
    main()
