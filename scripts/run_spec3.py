"""Run the later steps of stage 3 on source-based products, up to spectra.

It needs the jwst package, which the workflow itself does not.
"""

import argparse
import json
import os
from contextlib import nullcontext
from pathlib import Path

from exp_to_source.errors import told_in_a_sentence


def main() -> None:
    """Read the command line, run the steps on one product after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("products", nargs="+", type=Path, metavar="PRODUCT", help="products (*_cal.fits)")
    add("--folder", type=Path, default=Path("spec3"), help="where to write (%(default)s)")
    add(
        "--offline",
        action="store_true",
        help="do without CRDS: no network and no reference files, for trials",
    )
    add("--parameters", type=Path, metavar="FILE", help="parameters by step (check_parameters.py)")
    arguments = parser.parse_args()
    # Several of these run side by side.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with told_in_a_sentence("run_spec3"):
        from exp_to_source.spec3.steps import run_spec3, without_crds

        asked = json.loads(arguments.parameters.read_text()) if arguments.parameters else {}
        offline = arguments.offline or asked.get("offline", False)
        steps = asked.get("steps", {})
        with without_crds() if offline else nullcontext():
            for product in arguments.products:
                for path in run_spec3(product, arguments.folder, offline, steps):
                    print(path)


if __name__ == "__main__":
    main()
