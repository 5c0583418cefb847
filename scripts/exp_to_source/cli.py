"""The command line: options and arguments of each subcommand."""

import argparse
import os
import re
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from . import __version__, commands
from .errors import PROGRAM, exit_on_user_error
from .modes import FIXED_SLIT_IDS, MODES
from .settings import read_settings

DETECTORS = ("nrs1", "nrs2", "nrcalong", "nrcblong", "nis", "mirimage")


def _whole_number(text: str, minimum: int = 1) -> int:
    if not text.isdecimal() or int(text) < minimum:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {minimum} on")
    return int(text)


def _version(text: str) -> str:
    if not re.match(r"\d+\.\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a version such as 1.14.0")
    return text


def _extension_of_slit(text: str) -> tuple[str, int]:
    name, _, number = text.partition(":")
    return name, int(number)


def make_parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Make the parser of the command line, and those of its subcommands by name."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="The steps of the workflow, which Snakemake runs as jobs."
    )
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers: dict[str, argparse.ArgumentParser] = {}

    def command(
        name: str, run: Callable[..., None] | str, text: str = "", **options: Any
    ) -> Callable[..., Any]:
        text = text or str(run.__doc__)
        parsers[name] = subparsers.add_parser(name, help=text, description=text, **options)
        parsers[name].set_defaults(run=run)
        return parsers[name].add_argument

    settings = {"help": "settings of a run (settings.json)"}
    fork = {"action": "store_true", "help": "share the start of Python with other such commands"}
    record = {"dest": "record", "metavar": "FILE"}
    log = {"default": argparse.SUPPRESS, "metavar": "FILE", "help": "where its messages go"}

    add = command("find", commands.find)
    add("program", type=_whole_number, help="number of the program")
    add("--observation", type=_whole_number, metavar="NUMBER", help="of this observation only")
    add("--mode", choices=MODES, help="of this mode only")

    add = command("fetch", commands.fetch)
    add("address", help="https://..., s3://... or mast:...")
    add("file", help="file to write")

    add = command("index", commands.index)
    add("exposure", help="exposure-based product (*_cal.fits, *_mbsub.fits)")
    add("index", help="index to write (*.txt)")
    add(
        "--on-bad-exposure",
        choices=("stop", "skip"),
        default="stop",
        help="skip: where the exposure is at fault, write the reason as its index, and succeed",
    )
    add(
        "--on-other-kind",
        choices=("stop", "pass"),
        default="stop",
        help="pass: where the file is of another kind by its header, write that as its index",
    )
    add("--state", default="", help="state of the exposure for which the run was planned")

    add = command("list", commands.list_sources)
    add("settings", **settings)
    add("table", help="source list to write (sources.tsv), in the folder of the results")

    add = command(
        "gather", "gather.product:run", "Write one source-based product from its manifest."
    )
    add("manifest", help="manifest of the product (*.txt)")
    add("product", help="product to write (*_cal.fits)")
    add("digest", nargs="?", default="", help="of the manifest, as the source list has it")
    add("--indices", metavar="FOLDER", help="by default 'index' beside the manifest's folder")
    fault = "if it cannot be made: write why to FILE, leave an empty product, and succeed"
    add("--record-failure", **record, help=fault)

    add = command("sources", commands.sources)
    add("table", help="source list (sources.tsv)")
    add("--rows", type=int, default=100, help="rows to print (%(default)s), 0: all")

    add = command("fingerprint", commands.fingerprint)
    add("path", metavar="exposure", help="exposure-based product (*_cal.fits)")
    add("output", metavar="fingerprints", help="file to write (*.jsonl)")
    add("--fork", **fork)

    add = command("verify", commands.verify)
    add("settings", **settings)
    add("verdicts", help="file to write (*.jsonl)")
    add("--products", nargs="+", required=True, help="products to verify (*_cal.fits)")
    add("--results", required=True, metavar="FOLDER", help="of the run")
    add("--fork", **fork)

    add = command("verdicts", commands.list_verdicts)
    add("settings", **settings)
    add("table", help="table to write (verify.tsv)")
    add("--source-list", required=True, metavar="TABLE", help="source list of the run")
    add("--verdicts", nargs="+", required=True, help="verdicts on its products")
    add("--fingerprints", nargs="+", required=True, help="fingerprints of its exposures")

    add = command("check", commands.check)
    add("table", help="table of verdicts (verify.tsv)")

    add = command("quicklook", commands.quicklook)
    add("product", help="source-based product (*_cal.fits)")
    add("output", metavar="quicklook", help="picture to write (*.png)")
    add("--results", metavar="FOLDER", help="of the run: for names of exposures, and the spectrum")
    add("--fork", **fork)

    add = command(
        "measure",
        "report.measure:measure_products",
        "Measure products for the report: place, signal-to-noise ratio, usable pixels, images.",
    )
    add("output", metavar="measured", help="file to write (*.jsonl)")
    add("--products", nargs="+", required=True, help="products to measure (*_cal.fits)")
    add("--results", required=True, metavar="FOLDER", help="of the run, with the manifests")
    add("--images", type=int, default=6, help="entries of each with an image (%(default)s)")
    add("--width", type=int, default=256, help="width of an image in pixels (%(default)s)")

    add = command(
        "catalog",
        "report.catalog:write_catalog",
        "Write the catalogue of all sources as a FITS table: places, S/N, flux densities, files.",
    )
    add("table", help="source list (sources.tsv)")
    add("output", metavar="catalog", help="table to write (*.fits)")
    add("--measured", nargs="*", default=[], help="measurements of the products (*.jsonl)")

    add = command("report", commands.report)
    add("settings", **settings)
    add("report", help="page to write (*.html), in the folder of the results")
    add("--measured", nargs="*", help="measurements of its products, by default all in the folder")
    add("--logs", metavar="FOLDER", help="by default 'logs' beside the folder of the results")

    add = command("prepare", commands.prepare)
    add("task", choices=("survey", "background", "exposure"), help="of an association, or one of")
    add("input", help="association (*_asn.json); for 'exposure', an exposure (*_cal.fits)")
    add("output", help="file to write")
    add("--summary", metavar="FILE", help="what 'survey' wrote, for 'exposure'")
    add("--background", nargs="?", metavar="FILE", help="what 'background' wrote, for 'exposure'")
    add("--log", **log | {"help": f"{log['help']}, for 'exposure'"})
    add("--fork", **fork)

    add = command("references", commands.references)
    add("settings", **settings)
    add("references", help="file to write (<family>.json)")
    add("--table", required=True, help="source list")
    add("--crds-path", help="cache of CRDS (its own default, or $CRDS_PATH)")
    add("--crds-server", help="server of CRDS ($CRDS_SERVER_URL, or that of the mission)")

    add = command("spec3", commands.spec3)
    add("products", nargs="+", metavar="PRODUCT", help="products (*_cal.fits)")
    add("--folder", default="spec3", help="where to write (%(default)s)")
    add("--offline", action="store_true", help="do without CRDS: no network, no reference files")
    add("--references", metavar="FILE", help="what 'references' wrote")
    add("--digest", nargs="+", default=[], help="of each product, to be kept beside its spectrum")
    fault = "if a step fails: write why to FILE, leave empty spectra, and succeed"
    add("--record-failure", **record, help=fault)
    add("--log", **log)
    add("--fork", **fork)

    add = command("combine", commands.combine)
    add("settings", **settings)
    add("x1d", help="table to write (<family>_x1d.fits)")
    add("c1d", help="table of combined spectra to write (<family>_c1d.fits)")
    add("--table", required=True, help="source list; the spectra are beside it")
    add("--references", required=True, metavar="FILE", help="what 'references' wrote")
    add("--fork", **fork)

    add = command("slits", commands.slits)
    add("product", type=Path, help="source-based product (*_cal.fits)")
    add("--folder", type=Path, default="slits", help="where to write (%(default)s)")

    add = command(
        "stack",
        "spec3.stacking:stack_spectra",
        "Put the spectra of all sources of a family of slits into one file.",
    )
    add("table", help="source list (sources.tsv), in the folder of the results")
    add("output", metavar="spectra", help="file to write (<family>_x1d.fits)")
    add("--classes", default="s", help="classes of the sources (%(default)s)")

    # The library has the defaults of options that are not given.
    _add_simulation(command("simulate", commands.simulate, argument_default=argparse.SUPPRESS))

    # Nothing is an option of this command.
    add = command("run", commands.run, add_help=False, prefix_chars="\0")
    add("options", nargs=argparse.REMAINDER, help="options and targets of Snakemake, also --help")

    add = command("check-config", commands.check_config)
    add("files", nargs="+", metavar="FILE", help="settings (YAML)")
    return parser, parsers


def _add_simulation(add: Callable[..., Any]) -> None:
    """Add the arguments of ``simulate``."""
    add("folder", type=Path, help="where to write; made if need be")
    add("--mode", choices=MODES, help="observing mode (mos)")
    add("--exposures", type=_whole_number, help="number of exposures (3)")
    add("--sources", type=_whole_number, help="number of sources (5)")
    add("--source-ids", type=int, nargs="+", help="identifiers of the sources, in their place")
    add("--program", type=_whole_number, help="program (10006)")
    add("--observation", type=_whole_number, help="observation (10)")
    for element in ("filter", "grating", "pupil", "subarray"):
        add(f"--{element}", help=f"{element}, if not the mode's")
    add("--detectors", nargs="+", choices=DETECTORS, help="if not the mode's")
    add(
        "--overlap",
        choices=("full", "partial"),
        help="all sources in all exposures (full), or only the middle one (partial)",
    )
    add("--background", type=int, help="background slitlets (0; MOS)")
    add("--virtual", type=int, help="virtual slitlets (0; MOS)")
    add("--fixed-slits", nargs="+", choices=FIXED_SLIT_IDS, help="fixed slits")
    add("--primary-slit", choices=FIXED_SLIT_IDS, help="fixed slit that has the target (S200A1)")
    add("--orders", type=int, nargs="+", help="spectral orders (1; WFSS)")
    add(
        "--absent",
        type=_extension_of_slit,
        nargs="+",
        help="extensions left out, with the number of the slit: barshadow:2",
    )
    add(
        "--shape",
        type=_whole_number,
        nargs=2,
        help="rows and columns of the smallest slit (30 400)",
    )
    add("--version", type=_version, help="version of the calibration software (1.14.0)")
    add("--seed", type=partial(_whole_number, minimum=0), help="seed of the pixel values (0)")
    add("--association", action="store_true", help="write an association, too")
    add(
        "--shared-wcs",
        action="store_true",
        help="slits share the steps of their WCS, as pipelines after 3.0.0 write them (WFSS)",
    )
    add(
        "--realistic",
        action="store_true",
        help="images like those of flight: sizes, bent traces, edges of slits, nods, flags",
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line, and run a subcommand; mistakes of users end it with one sentence."""
    arguments = vars(make_parsers()[0].parse_args(argv))
    run, name = arguments.pop("run"), arguments.pop("command")
    # Pictures are files; the backend that a notebook sets may not be installed here.
    os.environ["MPLBACKEND"] = "agg"
    with exit_on_user_error(f"{PROGRAM} {name}"):
        if "settings" in arguments:
            arguments["settings"] = read_settings(arguments["settings"])
        if isinstance(run, str):
            module, _, function = run.partition(":")
            run = getattr(import_module(f".{module}", __package__), function)
        run(**arguments)
