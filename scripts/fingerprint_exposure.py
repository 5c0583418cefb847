"""Write what products are verified against: fingerprints of the slits of one exposure."""

import argparse

from exp_to_source.errors import exit_on_user_error


def main() -> None:
    """Read the command line, write the fingerprints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("exposure", help="exposure-based product (*_cal.fits)")
    parser.add_argument("fingerprints", help="file to write (*.jsonl)")
    arguments = parser.parse_args()
    with exit_on_user_error("fingerprint_exposure"):
        from exp_to_source.verify.fingerprints import fingerprint_exposure

        fingerprint_exposure(arguments.exposure, arguments.fingerprints)


if __name__ == "__main__":
    main()
