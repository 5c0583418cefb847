"""Import matplotlib once, and fork for each job that asks; draw_quicklook.py --fork starts it."""

import argparse
import io

from draw_quicklook import draw
from exp_to_source.run.server import serve


def main() -> None:
    """Read the command line, serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="path of the socket")
    arguments = parser.parse_args()
    import asdf
    import scipy.interpolate  # noqa: F401
    from matplotlib.figure import Figure

    import exp_to_source.quicklook.picture  # noqa: F401

    # What the first picture has to look for, the forks then have.
    _ = asdf.get_config().extensions
    figure = Figure(figsize=(1, 1))
    figure.add_subplot().set_title("fonts", weight="bold")
    figure.savefig(io.BytesIO(), format="png")
    serve(arguments.address, draw)


if __name__ == "__main__":
    main()
