"""Simulate exposure-based "cal" products, for trials and demonstrations."""

import argparse
import re
from pathlib import Path

from exp_to_source.errors import exit_on_user_error
from exp_to_source.modes import FIXED_SLIT_IDS, MODES

DETECTORS = ("nrs1", "nrs2", "nrcalong", "nrcblong", "nis", "mirimage")


def main(argv: list[str] | None = None) -> None:
    """Parse the command line, simulate, and print the paths written."""
    # The library has the defaults of options that are not given.
    parser = argparse.ArgumentParser(description=__doc__, argument_default=argparse.SUPPRESS)
    parser.add_argument("folder", type=Path, help="where to write; made if need be")
    parser.add_argument("--mode", choices=MODES, help="observing mode (mos)")
    parser.add_argument("--exposures", type=int, help="number of exposures (3)")
    sources = parser.add_mutually_exclusive_group()
    sources.add_argument("--sources", type=positive_number, help="number of sources (5)")
    sources.add_argument("--source-ids", type=int, nargs="+", help="identifiers of the sources")
    parser.add_argument("--program", type=positive_number, help="program (10006)")
    parser.add_argument("--observation", type=positive_number, help="observation (10)")
    for element in ("filter", "grating", "pupil"):
        parser.add_argument(f"--{element}", help=f"{element}, if not the mode's")
    parser.add_argument("--subarray", help="subarray, if not the mode's")
    parser.add_argument("--detectors", nargs="+", choices=DETECTORS, help="if not the mode's")
    parser.add_argument(
        "--overlap",
        choices=("full", "partial"),
        help="all sources in all exposures (full), or only the middle one (partial)",
    )
    parser.add_argument("--background", type=int, help="background slitlets (0; MOS)")
    parser.add_argument("--virtual", type=int, help="virtual slitlets (0; MOS)")
    parser.add_argument("--fixed-slits", nargs="+", choices=FIXED_SLIT_IDS, help="fixed slits")
    parser.add_argument(
        "--primary-slit", choices=FIXED_SLIT_IDS, help="fixed slit that has the target (S200A1)"
    )
    parser.add_argument("--orders", type=int, nargs="+", help="spectral orders (1; WFSS)")
    parser.add_argument(
        "--absent",
        type=image_and_slit,
        nargs="+",
        help="images left out, with the number of the slit: barshadow:2",
    )
    parser.add_argument(
        "--shape",
        type=positive_number,
        nargs=2,
        help="rows and columns of the smallest slit (30 400)",
    )
    parser.add_argument(
        "--version", type=version, help="version of the calibration software (1.14.0)"
    )
    parser.add_argument("--seed", type=int, help="seed of the pixel values (0)")
    parser.add_argument("--association", action="store_true", help="write an association, too")
    parser.add_argument(
        "--shared-wcs",
        action="store_true",
        help="slits share the steps of their WCS, as pipelines after 3.0.0 write them (WFSS)",
    )
    options = vars(parser.parse_args(argv))

    folder = options.pop("folder")
    elements: dict[str, str] = {
        key: options.pop(key) for key in ("filter", "grating", "pupil") if key in options
    }
    options = {key: tuple(v) if isinstance(v, list) else v for key, v in options.items()}
    with exit_on_user_error("simulate_exposures"):
        # Imported here, as the data models take seconds to load and --help should not.
        from exp_to_source.simulate.exposures import simulate
        from exp_to_source.simulate.simulation import Simulation

        for path in simulate(Simulation(elements=elements, **options), folder):
            print(path)


def positive_number(text: str) -> int:
    """Return a number of at least one."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def version(text: str) -> str:
    """Return a version, which has at least two numbers."""
    if not re.match(r"\d+\.\d+", text):
        raise ValueError
    return text


def image_and_slit(text: str) -> tuple[str, int]:
    """Return the image and the number of the slit of ``image:number``."""
    image, _, number = text.partition(":")
    return image, int(number)


if __name__ == "__main__":
    main()
