"""Put the spectra of all sources of a grism together, as the pipeline does at its end.

Options can also be in a file, one per line: combine_spectra.py @options.txt
"""

import argparse
from pathlib import Path

from exp_to_source.errors import exit_on_user_error
from exp_to_source.spec3.jobs import run_job
from exp_to_source.spec3.references import use_references


def main() -> None:
    """Read the command line, write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        fromfile_prefix_chars="@",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("x1d", help="table to write (<family>_x1d.fits)")
    add("c1d", help="table of combined spectra to write (<family>_c1d.fits)")
    add("--table", required=True, help="source list; the spectra are beside it")
    add("--classes", default="s", help="classes of the sources: s, b, v (%(default)s)")
    add("--fork", action="store_true", help="share the start of Python with run_spec3.py --fork")
    add("--references", type=Path, metavar="FILE", help="file of find_references.py")
    add("--indices", nargs="+", required=True, help="of the exposures, in their order")
    arguments = parser.parse_args()
    with exit_on_user_error("combine_spectra"):
        offline = not arguments.references or use_references(arguments.references)["offline"]
    request = {name: getattr(arguments, name) for name in ("table", "classes", "indices")}
    request |= {"x1d": arguments.x1d, "c1d": arguments.c1d}
    run_job("combine", request, offline, arguments.fork)


if __name__ == "__main__":
    main()
