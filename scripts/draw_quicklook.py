"""Draw the cut-outs of a product as a picture."""

import argparse
import sys
from pathlib import Path

from exp_to_source.errors import exit_on_user_error
from exp_to_source.run.server import ask_server


def main() -> None:
    """Read the command line, draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("product", help="source-based product (*_cal.fits)")
    add("quicklook", help="picture to write (*.png)")
    add("--results", help="folder of the run's results, for names of exposures and the spectrum")
    add("--fork", action="store_true", help="share the start of Python with other such commands")
    arguments = vars(parser.parse_args())
    if arguments.pop("fork"):
        start = [sys.executable, str(Path(__file__).with_name("serve_quicklooks.py"))]
        status = ask_server(start, arguments)
        if status is not None:
            sys.exit(status)
    draw(**arguments)


def draw(product: str, quicklook: str, results: str | None) -> None:
    """Draw a picture; mistakes of users end it with a sentence."""
    with exit_on_user_error("draw_quicklook"):
        from exp_to_source.quicklook.picture import draw_quicklook

        draw_quicklook(product, quicklook, results)


if __name__ == "__main__":
    main()
