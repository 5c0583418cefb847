"""The subcommands of the command line, one function for each.

Each imports what it needs when it runs, so that ``--help`` and mistakes take no time.
"""

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from .errors import InputError, OtherKindError
from .results import FINGERPRINTS, JOINS, MANIFESTS, MEASURED, SOURCES, index_path
from .settings import Settings


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


def fingerprint(fork: bool, **options: Any) -> None:
    """Write what products are verified against: fingerprints of the slits of one exposure."""
    _verification("fingerprint", "verify.fingerprints:fingerprint_exposure", options, fork)


def verify(fork: bool, **options: Any) -> None:
    """Compare products with the fingerprints of their exposures."""
    _verification("verify", "commands:verify_products", options, fork)


def _verification(command: str, target: str, options: dict[str, Any], fork: bool) -> None:
    from .server import run_job

    run_job(command, target, options, "verify", _data_models(), fork)


@contextmanager
def _data_models() -> Iterator[None]:
    from .verify import products  # noqa: F401
    from .verify.schema import EXPOSURE_MODEL, PRODUCT_MODEL, read_schema

    for model in (EXPOSURE_MODEL, PRODUCT_MODEL):
        read_schema(model)
    yield


def verify_products(
    settings: Sequence[Any], verdicts: str, products: list[str], results: str
) -> None:
    """Compare products with the fingerprints of their exposures; settings as JSON has them."""
    from .verify.products import Verifier
    from .verify.verdicts import write_verdicts

    run_settings = Settings(*settings)
    verifier = Verifier(
        os.path.join(results, FINGERPRINTS),
        _associations(run_settings),
        _join_lookup(run_settings, results),
        os.path.join(results, MANIFESTS),
    )
    # It searches for reference cycles after each product: to do so more often takes long.
    gc.disable()
    write_verdicts(verdicts, verifier.verify(*products))


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


def quicklook(fork: bool, **options: Any) -> None:
    """Draw the cut-outs of a product as a picture."""
    from .server import run_job

    target = "quicklook.picture:draw_quicklook"
    run_job("quicklook", target, options, "quicklook", _matplotlib(), fork)


@contextmanager
def _matplotlib() -> Iterator[None]:
    from .quicklook.picture import warm_up

    warm_up()
    yield


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
