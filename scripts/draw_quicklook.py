"""Draw the cut-outs of a product as a picture."""

import argparse
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from exp_to_source.errors import exit_on_user_error
from exp_to_source.server import run_in_fork


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
        status = run_in_fork("quicklook", matplotlib(), draw, arguments)
        if status is not None:
            sys.exit(status)
    draw(**arguments)


@contextmanager
def matplotlib() -> Iterator[None]:
    """Import matplotlib and all else that a picture needs."""
    import asdf
    import scipy.interpolate  # noqa: F401
    from matplotlib.figure import Figure

    import exp_to_source.quicklook.picture  # noqa: F401

    # What the first picture has to look for, the forks then have.
    _ = asdf.get_config().extensions
    figure = Figure(figsize=(1, 1))
    figure.add_subplot().set_title("fonts", weight="bold")
    figure.savefig(io.BytesIO(), format="png")
    yield


def draw(product: str, quicklook: str, results: str | None) -> None:
    """Draw a picture; mistakes of users end it with a sentence."""
    with exit_on_user_error("draw_quicklook"):
        from exp_to_source.quicklook.picture import draw_quicklook

        draw_quicklook(product, quicklook, results)


if __name__ == "__main__":
    main()
