"""Draw the cut-outs of a product as a picture."""

import argparse

from exp_to_source.errors import told_in_a_sentence


def main() -> None:
    """Read the command line, draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("product", help="source-based product (*_cal.fits)")
    parser.add_argument("quicklook", help="picture to write (*.png)")
    parser.add_argument("--manifest", help="manifest of the product, for the names of exposures")
    arguments = parser.parse_args()

    with told_in_a_sentence("draw_quicklook"):
        from exp_to_source.files import redate
        from exp_to_source.quicklook.picture import draw_quicklook

        redate([arguments.product, arguments.manifest])
        draw_quicklook(arguments.product, arguments.quicklook, arguments.manifest)


if __name__ == "__main__":
    main()
