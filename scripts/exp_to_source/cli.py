"""The command line: a subcommand for each step of the workflow.

Each imports what it needs when it runs, so that ``--help`` and mistakes take no time.
"""

import argparse
import gc
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from typing import Any

from .errors import InputError, OtherKindError, exit_on_user_error
from .modes import FIXED_SLIT_IDS, MODES
from .results import FINGERPRINTS, JOINS, MANIFESTS, MEASURED, SOURCES, index_path
from .settings import Settings, read_settings

PROGRAM = "exp-to-source"
DETECTORS = ("nrs1", "nrs2", "nrcalong", "nrcblong", "nis", "mirimage")


def find(program: int, observation: int | None, mode: str | None) -> None:
    """Print the addresses of exposures and associations that MAST has, for exposures: @FILE."""
    from .fetch.find import find_products, summarize

    products = find_products(program, observation, mode)
    for product in products:
        print(product.address)
    print(summarize(products), file=sys.stderr)


def fetch(address: str, file: str) -> None:
    """Download an exposure or association; an interrupted download is continued."""
    from .fetch.addresses import parse_address
    from .fetch.download import fetch

    fetch(parse_address(address), file, partial(print, file=sys.stderr, flush=True))


def index(exposure: str, index: str, on_bad_exposure: str, on_other_kind: str, state: str) -> None:
    """Index an exposure: the offsets of the bytes of its slits, its identity, and digests."""
    from .index.indexing import index_or_reason
    from .workflow.triggers import file_trigger

    # Of an exposure that is prepared, it is that of the user's file.
    if state.startswith(f"{exposure} ") and file_trigger(exposure) != state:
        raise InputError(f"{exposure}: changed during this run; run the same command again")
    # Nodes of a tree have no reference cycles; searching for them takes 7 % of the time.
    gc.disable()
    try:
        remarks = index_or_reason(
            exposure, index, skip_bad=on_bad_exposure == "skip", pass_over=on_other_kind == "pass"
        )
    except OtherKindError:
        raise
    except InputError as error:
        raise InputError(f"{error}, or set 'on_bad_exposure: skip' to go on without it") from None
    for _, remark in remarks:
        print(f"{exposure}: {remark}", file=sys.stderr)


def list_sources(settings: Settings, table: str) -> None:
    """List the sources of indexed exposures, and write a manifest for each product."""
    from .sources import listing
    from .sources.catalog import read_catalog
    from .sources.choosing import SourceFilter, parse_items
    from .sources.families import GroupingOptions

    # Slits are in no reference cycles; searching for them takes a tenth of the time.
    gc.disable()
    values = settings.values
    radius, catalog = values["radius"], values["catalog"]
    messages = listing.list_sources(
        indices=_indices(settings, table),
        table=table,
        associations=_associations(settings),
        options=GroupingOptions(**{key: values[key] for key in GroupingOptions._fields}),
        source_filter=SourceFilter(
            parse_items(values["sources"]),
            parse_items(values["exclude"]),
            values["min_exposures"],
            read_catalog(catalog, radius) if catalog else None,
            radius,
        ),
        joins=_joins(values["joins"]),
    )
    for message in messages:
        print(message, file=sys.stderr)


def _indices(settings: Settings, table: str) -> list[str]:
    return [index_path(os.path.dirname(table), name) for name in settings.exposures]


def _associations(settings: Settings) -> list[Any]:
    from .sources.associations import read_association

    return [read_association(path) for path in settings.associations]


def _joins(path: str | None) -> Any:
    from .sources.join_table import Joins, read_joins

    return read_joins(path) if path else Joins()


def _join_lookup(settings: Settings, results: str) -> Any:
    from .sources.join_table import Joins
    from .verify.verdicts import JoinLookup

    values = settings.values
    by_place = os.path.join(results, JOINS) if values["join_radius"] else None
    rows = [*_joins(values["joins"]).rows, *_joins(by_place).rows]
    return JoinLookup(Joins(rows), values["fixed_slit_ids"])


def sources(table: str, rows: int) -> None:
    """Print the source list of a run as a table for people."""
    from .sources.source_list import format_sources

    try:
        print(format_sources(table, rows), flush=True)
    except BrokenPipeError:
        # The reader has seen enough; Python would flush again at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def verify(settings: Settings, verdicts: str, products: list[str], results: str) -> None:
    """Compare products with the fingerprints of their exposures."""
    from .verify.products import Verifier
    from .verify.verdicts import write_verdicts

    verifier = Verifier(
        os.path.join(results, FINGERPRINTS),
        _associations(settings),
        _join_lookup(settings, results),
        os.path.join(results, MANIFESTS),
    )
    write_verdicts(verdicts, map(verifier.verify, products))


def list_verdicts(settings: Settings, source_list: str, **files: Any) -> None:
    """List the verdicts on all products, and look for lost slits."""
    from .verify import verdicts

    joins = _join_lookup(settings, os.path.dirname(source_list))
    associations = _associations(settings)
    verdicts.list_verdicts(associations=associations, sources=source_list, joins=joins, **files)


def check(table: str) -> None:
    """Summarise the verdicts on products, and fail if a product is not sound."""
    from .verify.verdicts import check_verdicts

    print(check_verdicts(table), file=sys.stderr)


def quicklook(fork: bool, **request: Any) -> None:
    """Draw the cut-outs of a product as a picture."""
    from .server import run_in_fork

    if fork:
        status = run_in_fork("quicklook", _matplotlib(), _draw, request)
        if status is not None:
            sys.exit(status)
    _draw(**request)


@contextmanager
def _matplotlib() -> Iterator[None]:
    from .quicklook.picture import warm_up

    warm_up()
    yield


def _draw(product: str, quicklook: str, results: str | None) -> None:
    with exit_on_user_error(f"{PROGRAM} quicklook"):
        from .quicklook.picture import draw_quicklook

        draw_quicklook(product, quicklook, results)


def report(settings: Settings, report: str, measured: list[str] | None, logs: str | None) -> None:
    """Write the report of a run as one HTML page."""
    from .report.page import write_report
    from .tables import check_source_list

    results = os.path.dirname(report) or "."
    check_source_list(os.path.join(results, SOURCES))
    logs = logs or os.path.normpath(os.path.join(results, "..", "logs"))
    if measured is None:
        # Measurements of earlier states of products are left out by their digests.
        measured = sorted(map(str, Path(results, MEASURED).glob("*.jsonl")))
    write_report(report, results, logs, settings.values, settings.exposures, measured)


def prepare(task: str, input: str, output: str, fork: bool, **options: Any) -> None:
    """Prepare exposures as Spec3Pipeline does before it regroups: moving targets, background."""
    from .spec3.jobs import run_job

    if task == "exposure":
        request = {"exposure": input, "output": output, **options}
    else:
        request = {"association": input, "output": output}
    run_job(task, request, offline=True, fork=fork)


def references(settings: Settings, references: str, table: str, **crds: str | None) -> None:
    """Check the parameters of the steps after regrouping, and fetch what they need from CRDS."""
    from .spec3.references import find_references, without_crds
    from .spec3.steps import require_jwst

    require_jwst()
    values = settings.values
    # Of exposures that are prepared, nothing is left to be subtracted.
    background = [
        os.path.basename(association.path)
        for association in _associations(settings)
        if association.background and not values["prepare"]
    ]
    with without_crds(values["offline"]):
        find_references(Path(references), table, values, background, crds)


def spec3(
    products: list[str],
    digest: list[str],
    references: str | None,
    offline: bool,
    fork: bool,
    **options: Any,
) -> None:
    """Run the later steps of stage 3 on source-based products, up to spectra."""
    from .spec3.jobs import run_job
    from .spec3.references import use_references

    if digest and len(digest) != len(products):
        raise InputError("--digest: give one for each product")
    found = use_references(Path(references)) if references else {"offline": offline}
    request: dict[str, Any] = {
        "products": dict(zip_longest(products, digest)),
        "offline": found["offline"],
        "parameters": found.get("steps", {}),
        "background": found.get("background", []),
    }
    run_job("extract", request | options, found["offline"], fork)


def combine(settings: Settings, table: str, references: str, fork: bool, **outputs: str) -> None:
    """Combine the spectra of all sources of a grism in tables, as the pipeline does at its end."""
    from .spec3.jobs import run_job
    from .spec3.references import use_references

    request: dict[str, Any] = {
        "table": table,
        "classes": "".join(settings.values["spec3_classes"]),
        "indices": _indices(settings, table),
    }
    run_job("combine", request | outputs, use_references(Path(references))["offline"], fork)


def slits(product: Path, folder: Path) -> None:
    """Split a product into a file for each of its slits, as msaexp reads them."""
    from .spec3.slits import split_product

    for path in split_product(product, folder):
        print(path)


def simulate(folder: Path, **options: Any) -> None:
    """Simulate exposure-based "cal" products, for trials and demonstrations."""
    from .simulate.exposures import simulate
    from .simulate.modes import Simulation

    names = options.keys() & {"filter", "grating", "pupil"}
    elements: dict[str, str] = {name: options.pop(name) for name in sorted(names)}
    options = {key: tuple(v) if isinstance(v, list) else v for key, v in options.items()}
    for path in simulate(Simulation(elements=elements, **options), folder):
        print(path)


def run(options: list[str]) -> None:
    """Run the workflow: Snakemake with the Snakefile and profiles of this package."""
    from .workflow.run import snakemake_command

    os.execv(sys.executable, snakemake_command(options))


def check_config(files: list[str]) -> None:
    """Validate configuration files, and report the line of a mistake."""
    from .workflow.configuration import check_configuration, read_configfile

    for path in files:
        check_configuration(read_configfile(path), [path])
        print(f"{path}: valid")


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _natural(text: str) -> int:
    if (number := int(text)) < 0:
        raise ValueError
    return number


def _version(text: str) -> str:
    if not re.match(r"\d+\.\d+", text):
        raise ValueError
    return text


def _extension_of_slit(text: str) -> tuple[str, int]:
    name, _, number = text.partition(":")
    return name, int(number)


def make_parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Make the parser of the command line, and those of its subcommands by name."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="The steps of the workflow, which Snakemake runs as jobs."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers: dict[str, argparse.ArgumentParser] = {}

    def command(
        name: str, run: Callable[..., None] | str, text: str = "", **options: Any
    ) -> Callable[..., Any]:
        text = text or str(run.__doc__)
        parsers[name] = commands.add_parser(name, help=text, description=text, **options)
        parsers[name].set_defaults(run=run)
        return parsers[name].add_argument

    settings = {"help": "settings of a run (settings.json)"}
    fork = {"action": "store_true", "help": "share the start of Python with other such commands"}
    log = {"default": argparse.SUPPRESS, "metavar": "FILE", "help": "where its messages go"}

    add = command("find", find)
    add("program", type=_positive, help="number of the program")
    add("--observation", type=_positive, metavar="NUMBER", help="of this observation only")
    add("--mode", choices=MODES, help="of this mode only")

    add = command("fetch", fetch)
    add("address", help="https://..., s3://... or mast:...")
    add("file", help="file to write")

    add = command("index", index)
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

    add = command("list", list_sources)
    add("settings", **settings)
    add("table", help="source list to write (sources.tsv), in the folder of the results")

    add = command(
        "gather", "gather.product:run", "Write one source-based product from its manifest."
    )
    add("manifest", help="manifest of the product (*.txt)")
    add("product", help="product to write (*_cal.fits)")
    add("digest", nargs="?", default="", help="of the manifest, as the source list has it")
    add("--indices", metavar="FOLDER", help="by default 'index' beside the manifest's folder")
    add(
        "--record-failure",
        dest="record",
        metavar="FILE",
        help="if it cannot be made: write why to FILE, leave an empty product, and succeed",
    )

    add = command("sources", sources)
    add("table", help="source list (sources.tsv)")
    add("--rows", type=int, default=100, help="rows to print (%(default)s), 0: all")

    add = command(
        "fingerprint",
        "verify.fingerprints:fingerprint_exposure",
        "Write what products are verified against: fingerprints of the slits of one exposure.",
    )
    add("path", metavar="exposure", help="exposure-based product (*_cal.fits)")
    add("output", metavar="fingerprints", help="file to write (*.jsonl)")

    add = command("verify", verify)
    add("settings", **settings)
    add("verdicts", help="file to write (*.jsonl)")
    add("--products", nargs="+", required=True, help="products to verify (*_cal.fits)")
    add("--results", required=True, metavar="FOLDER", help="of the run")

    add = command("verdicts", list_verdicts)
    add("settings", **settings)
    add("table", help="table to write (verify.tsv)")
    add("--source-list", required=True, metavar="TABLE", help="source list of the run")
    add("--verdicts", nargs="+", required=True, help="verdicts on its products")
    add("--fingerprints", nargs="+", required=True, help="fingerprints of its exposures")

    add = command("check", check)
    add("table", help="table of verdicts (verify.tsv)")

    add = command("quicklook", quicklook)
    add("product", help="source-based product (*_cal.fits)")
    add("quicklook", help="picture to write (*.png)")
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

    add = command("report", report)
    add("settings", **settings)
    add("report", help="page to write (*.html), in the folder of the results")
    add("--measured", nargs="*", help="measurements of its products, by default all in the folder")
    add("--logs", metavar="FOLDER", help="by default 'logs' beside the folder of the results")

    add = command("prepare", prepare)
    add("task", choices=("survey", "background", "exposure"), help="of an association, or one of")
    add("input", help="association (*_asn.json); for 'exposure', an exposure (*_cal.fits)")
    add("output", help="file to write")
    add("--summary", metavar="FILE", help="what 'survey' wrote, for 'exposure'")
    add("--background", nargs="?", metavar="FILE", help="what 'background' wrote, for 'exposure'")
    add("--log", **log | {"help": f"{log['help']}, for 'exposure'"})
    add("--fork", **fork)

    add = command("references", references)
    add("settings", **settings)
    add("references", help="file to write (<family>.json)")
    add("--table", required=True, help="source list")
    add("--crds-path", help="cache of CRDS (its own default, or $CRDS_PATH)")
    add("--crds-server", help="server of CRDS ($CRDS_SERVER_URL, or that of the mission)")

    add = command("spec3", spec3)
    add("products", nargs="+", metavar="PRODUCT", help="products (*_cal.fits)")
    add("--folder", default="spec3", help="where to write (%(default)s)")
    add("--offline", action="store_true", help="do without CRDS: no network, no reference files")
    add("--references", metavar="FILE", help="what 'references' wrote")
    add("--digest", nargs="+", default=[], help="of each product, to be kept beside its spectrum")
    add(
        "--record-failure",
        dest="record",
        metavar="FILE",
        help="if a step fails: write why to FILE, leave empty spectra, and succeed",
    )
    add("--log", **log)
    add("--fork", **fork)

    add = command("combine", combine)
    add("settings", **settings)
    add("x1d", help="table to write (<family>_x1d.fits)")
    add("c1d", help="table of combined spectra to write (<family>_c1d.fits)")
    add("--table", required=True, help="source list; the spectra are beside it")
    add("--references", required=True, metavar="FILE", help="what 'references' wrote")
    add("--fork", **fork)

    add = command("slits", slits)
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
    add = command("simulate", simulate, argument_default=argparse.SUPPRESS)
    add("folder", type=Path, help="where to write; made if need be")
    add("--mode", choices=MODES, help="observing mode (mos)")
    add("--exposures", type=_positive, help="number of exposures (3)")
    add("--sources", type=_positive, help="number of sources (5)")
    add("--source-ids", type=int, nargs="+", help="identifiers of the sources, in their place")
    add("--program", type=_positive, help="program (10006)")
    add("--observation", type=_positive, help="observation (10)")
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
    add("--shape", type=_positive, nargs=2, help="rows and columns of the smallest slit (30 400)")
    add("--version", type=_version, help="version of the calibration software (1.14.0)")
    add("--seed", type=_natural, help="seed of the pixel values (0)")
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

    # Nothing is an option of this command.
    add = command("run", run, add_help=False, prefix_chars="\0")
    add("options", nargs=argparse.REMAINDER, help="options and targets of Snakemake, also --help")

    add = command("check-config", check_config)
    add("files", nargs="+", metavar="FILE", help="settings (YAML)")
    return parser, parsers


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
