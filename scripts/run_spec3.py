"""Run the later steps of stage 3 on source-based products, up to spectra.

It needs the jwst package, which the workflow itself does not.
"""

import argparse
import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path

from exp_to_source.errors import told_in_a_sentence
from exp_to_source.run.server import ask_server
from exp_to_source.spec3.offline import without_crds
from exp_to_source.spec3.references import use_references
from exp_to_source.spec3.steps import run_all


def main() -> None:
    """Read the command line, run the steps on one product after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("products", nargs="+", metavar="PRODUCT", help="products (*_cal.fits)")
    add("--folder", default="spec3", help="where to write (%(default)s)")
    add(
        "--offline",
        action="store_true",
        help="do without CRDS: no network and no reference files, for trials",
    )
    add("--fork", action="store_true", help="share the start of Python with other such commands")
    add("--references", type=Path, metavar="FILE", help="what find_references.py found")
    add(
        "--record-failure",
        metavar="FILE",
        help="if a step fails: write why to FILE, leave empty spectra, and succeed",
    )
    arguments = parser.parse_args()
    # Several of these run side by side.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found = {"offline": arguments.offline}
    with told_in_a_sentence("run_spec3"):
        if arguments.references:
            found = json.loads(arguments.references.read_text(encoding="utf-8"))
            use_references(found, str(arguments.references))
    offline = found["offline"]
    request = {
        "products": arguments.products,
        "folder": arguments.folder,
        "offline": offline,
        "parameters": found.get("steps", {}),
        "background": found.get("background", []),
        "record": arguments.record_failure,
    }
    if arguments.fork:
        start = [sys.executable, str(Path(__file__).with_name("serve_spec3.py"))]
        status = ask_server([*start, *(["--offline"] if offline else [])], request)
        if status is not None:
            sys.exit(status)
    with without_crds() if offline else nullcontext():
        run_all(**request)


if __name__ == "__main__":
    main()
