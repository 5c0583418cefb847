"""Configuration, the exposures of the run, and what the rules share."""

import os
import shlex
import sys
import time
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake_interface_logger_plugins.common import LogEvent

ROOT = Path(str(workflow.current_basedir)).parents[1]
SCRIPTS = ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))

from exp_to_source import FORMAT
from exp_to_source.association import read_association
from exp_to_source.choosing import items_of
from exp_to_source.configuration import check_configuration
from exp_to_source.errors import told_in_a_sentence
from exp_to_source.files import remove_leftovers, write_if_changed
from exp_to_source.inputs import (
    find_exposures,
    find_files,
    find_table,
    name_exposures,
    request_text,
)
from exp_to_source.naming import PRODUCT_PARTS
from exp_to_source.progress import Progress
from exp_to_source.summary import look_around, summarise
from exp_to_source.tables import read_products, read_table


configfile: str(ROOT / "config" / "config.yaml")


BEFORE = look_around("results", time.time())
INDICES = "results/index"
MANIFESTS = "results/manifests"
PRODUCTS = "results/products"
TABLE = "results/sources.tsv"
ECSV = "results/sources.ecsv"
LEFT_OUT = "results/left_out.tsv"
VERIFY = "results/verify"
REQUEST = "results/request.txt"
#: Products that are verified in one job: seconds, against the second that it takes to start.
BATCH = 10
PRODUCT = "jw{program}-{candidate}_{source}_{instrument}_{elements}"
SIMULATED = [f"exposures/jw10006010001_03101_{n:05d}_nrs1_cal.fits" for n in (1, 2, 3)]


def command(name, python="", options=""):
    """Param with the shell command of a script, run by the Python that runs Snakemake.

    Snakemake does not make things again because of a param that is a function of the output: so
    products stay when the workflow or its Python move.
    """
    script = str(SCRIPTS / f"{name}.py")
    words = [sys.executable, *python.split(), script, *options.split()]
    return lambda wildcards, output: shlex.join(words)


def read_request():
    """Associations and exposures of the configuration, the latter by name."""
    paths = find_files("associations", config["associations"])
    associations = [read_association(path) for path in paths]
    found = SIMULATED if config["demo"] else find_exposures(config["exposures"])
    members = [path for association in associations for path in association.science]
    return associations, name_exposures([*found, *members])


def choice_options():
    """Options that tell which sources are wanted."""
    items = [(key, item) for key in ("sources", "exclude") for item in items_of(config[key])]
    items.append(("min-exposures", config["min_exposures"]))
    return [f"--{key}={value}" for key, value in items] + table_options("catalog")


def join_options():
    """Options that tell which slits are joined."""
    return [f"--fixed-slit-ids={config['fixed_slit_ids']}", *table_options("joins")]


def table_options(key):
    """Option with a table of the user, where the configuration names one."""
    return [f"--{key}={path}" for path in find_table(key, config[key])]


def write_request():
    """Keep the request as a file, so that a run notices what is not as in the last one."""
    keys = ("group_by", "source_id_digits", "on_bad_exposure")
    options = [f"--{key.replace('_', '-')}={config[key]}" for key in keys]
    options += [*join_options(), *choice_options()]
    write_if_changed(REQUEST, request_text(EXPOSURES, ASSOCIATIONS, options, INDICES).encode())


def forget_incomplete_table():
    """Remove the table where what it stands for is lost, so that the checkpoint runs again.

    Products depend on their manifests alone, but are made with the indices too.
    """
    if os.path.exists(TABLE):
        wanted = {f"{product}.json" for product in read_products(TABLE)}
        indices = {f"{name}.jsonl" for name in EXPOSURES}
        beside = {os.path.basename(ECSV)} - names_in(os.path.dirname(ECSV))
        if beside or wanted - names_in(MANIFESTS) or indices - names_in(INDICES):
            os.remove(TABLE)


def names_in(folder):
    """Names of the files in a folder, none where it is missing."""
    return set(os.listdir(folder)) if os.path.isdir(folder) else set()


def index_files(wildcards):
    """Indices of all exposures."""
    if not EXPOSURES:
        sys.exit(
            "exp_to_source: no exposures: set 'exposures' or 'associations', for example with "
            "--config exposures='data/jw*_cal.fits'"
        )
    return [f"{INDICES}/{name}.jsonl" for name in EXPOSURES]


@cache
def products_at(time):
    """Names of the products in their order, read once for each state of the table."""
    return dict.fromkeys(read_products(TABLE))


def products():
    """Names of the products, which the checkpoint has listed."""
    table = checkpoints.list_sources.get().output.table
    return products_at(os.stat(table).st_mtime_ns)


def product_files(wildcards):
    """Files of all products."""
    return [f"{PRODUCTS}/{name}_cal.fits" for name in products()]


def batch_files(wildcards):
    """Files of the products of a batch."""
    first = int(wildcards.batch) * BATCH
    return product_files(wildcards)[first : first + BATCH]


def verdict_files(wildcards):
    """Verdicts on all batches of products."""
    return [f"{VERIFY}/products/{n}.jsonl" for n in range(-(-len(products()) // BATCH))]


def manifest_of(wildcards):
    """Manifest of a product, by way of the checkpoint, which writes it."""
    name = PRODUCT.format(**wildcards)
    if name not in products():
        left_out = {row["product"]: row["reason"] for row in read_table(LEFT_OUT)}
        if name in left_out:
            raise WorkflowError(
                f"{name}: {left_out[name]}; to make it, change the settings 'sources', 'catalog', "
                "'exclude' or 'min_exposures'"
            )
        raise WorkflowError(f"{name}: the exposures have no such source; see {TABLE}")
    return f"{MANIFESTS}/{name}.json"


with told_in_a_sentence("exp_to_source"):
    check_configuration(config, str(ROOT / "workflow" / "schemas" / "config.schema.yaml"))
    ASSOCIATIONS, EXPOSURES = read_request()
    TABLES = [path for key in ("catalog", "joins") for path in find_table(key, config[key])]
    if workflow.is_main_process and EXPOSURES:
        write_request()
        forget_incomplete_table()


#: What is not said of each job on the terminal, but counted; the log of the run has it all.
COUNTED = {
    *(LogEvent.JOB_INFO, LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED, LogEvent.GROUP_INFO),
    *(LogEvent.PROGRESS, LogEvent.SHELLCMD, LogEvent.RESOURCES_INFO),
}
ROUNDS = ("Select jobs to execute", "Execute ", "Updating checkpoint", "DAG of jobs will be")


def count_jobs():
    """Tell on the terminal how far the run is, in place of each job (--printshellcmds: of each)."""
    if workflow.output_settings.printshellcmds or workflow.output_settings.verbose:
        return
    progress = Progress()

    def is_told(record):
        event = getattr(record, "event", None)
        if event == LogEvent.PROGRESS and (said := progress.step(record.done, record.total)):
            print(said, file=sys.stderr, flush=True)
        return event not in COUNTED and not str(record.msg).startswith(ROUNDS)

    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler":
            handler.addFilter(is_told)


def print_summary(failed):
    """Tell how the run ended."""
    print("\n".join(summarise("results", BEFORE, failed, time.time())), file=sys.stderr)


onsuccess:
    print_summary(failed=False)


onerror:
    print_summary(failed=True)


onstart:
    # By now this run has the lock of the folder: nothing else is at work in it.
    remove_leftovers("results")
    count_jobs()
