"""Run the later steps of stage 3 on source-based products, up to spectra.

It needs the jwst package, which the workflow itself does not.
"""

import argparse
from pathlib import Path

from exp_to_source.errors import exit_on_user_error
from exp_to_source.spec3.jobs import run_job
from exp_to_source.spec3.references import use_references
from exp_to_source.spec3.steps import LOG_TO_STDERR


def main() -> None:
    """Read the command line, run the steps on one product after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("products", nargs="+", metavar="PRODUCT", help="products (*_cal.fits)")
    add("--digest", nargs="+", help="digest of each product, written beside its spectra")
    add("--folder", default="spec3", help="where to write (%(default)s)")
    add(
        "--offline",
        action="store_true",
        help="do without CRDS: no network and no reference files, for trials",
    )
    add("--fork", action="store_true", help="share the start of Python with other such commands")
    add("--references", type=Path, metavar="FILE", help="file of find_references.py")
    add(
        "--record-failure",
        metavar="FILE",
        help="if a step fails: write why to FILE, leave empty spectra, and succeed",
    )
    add("--log", default=LOG_TO_STDERR, metavar="FILE", help="where its messages go")
    arguments = parser.parse_args()
    with exit_on_user_error("run_spec3"):
        settings = use_references(arguments.references) if arguments.references else {}
    digests = arguments.digest or [None] * len(arguments.products)
    if len(digests) != len(arguments.products):
        parser.error("argument --digest: expected one for each product")
    offline = settings.get("offline", arguments.offline)
    request = {
        "products": dict(zip(arguments.products, digests, strict=True)),
        "folder": arguments.folder,
        "offline": offline,
        "parameters": settings.get("steps", {}),
        "background": settings.get("background", []),
        "record": arguments.record_failure,
        "log": arguments.log,
    }
    run_job("extract", request, offline, arguments.fork)


if __name__ == "__main__":
    main()
