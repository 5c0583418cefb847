"""Measure products for the report: place, signal-to-noise ratio, usable pixels, images, sum."""

import argparse

from exp_to_source.errors import exit_on_user_error


def main() -> None:
    """Read the command line, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("measured", help="file to write (*.jsonl)")
    add("--products", nargs="+", required=True, help="products to measure (*_cal.fits)")
    add("--results", required=True, help="folder of the run's results, with the manifests")
    add("--images", type=int, default=6, help="entries of each that have an image (%(default)s)")
    add("--width", type=int, default=256, help="width of an image in pixels (%(default)s)")
    arguments = parser.parse_args()
    with exit_on_user_error("measure_products"):
        from exp_to_source.report.measure import measure_products

        measure_products(
            arguments.products,
            arguments.results,
            arguments.measured,
            arguments.images,
            arguments.width,
        )


if __name__ == "__main__":
    main()
