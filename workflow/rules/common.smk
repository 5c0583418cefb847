"""Configuration, the exposures of the run, and what the rules share."""

import os
import shlex
import sys
import time
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(str(workflow.current_basedir)).parents[1]
SCRIPTS = ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
# For commands in profiles, which cannot say "beside this file".
os.environ.update(EXP_TO_SOURCE=str(ROOT))

from exp_to_source import FORMAT
from exp_to_source.association import read_association
from exp_to_source.configuration import check_configuration
from exp_to_source.errors import told_in_a_sentence
from exp_to_source.failures import forget_failures, read_failures, remove_failed_products
from exp_to_source.files import remove_leftovers, write_if_changed
from exp_to_source.inputs import find_exposures, find_files, name_exposures, request_text
from exp_to_source.listing import read_products
from exp_to_source.naming import PRODUCT_PARTS
from exp_to_source.summary import summarise


configfile: str(ROOT / "config" / "config.yaml")


START = time.time()
INDICES = "results/index"
MANIFESTS = "results/manifests"
PRODUCTS = "results/products"
FAILURES = "results/failures"
TABLE = "results/sources.tsv"
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


def failure_record(wildcards, resources):
    """Option of a gather that must not fail, as the group it is run in would lose its neighbours.

    Profiles of clusters ask for it by a resource. What was recorded fails the run in the end, in
    the hooks below, which are not run where this workflow is a module of another.
    """
    if resources.get("record_failure") and Path(workflow.main_snakefile).is_relative_to(ROOT):
        return f"--record-failure {FAILURES}/{PRODUCT.format(**wildcards)}.txt"
    return ""


def read_request():
    """Associations and exposures of the configuration, the latter by name."""
    paths = find_files("associations", config["associations"])
    associations = [read_association(path) for path in paths]
    found = SIMULATED if config["demo"] else find_exposures(config["exposures"])
    members = [path for association in associations for path in association.science]
    return associations, name_exposures([*found, *members])


def write_request():
    """Keep the request as a file, so that a run notices what is not as in the last one."""
    options = {
        key.replace("_", "-"): str(config[key])
        for key in ("group_by", "source_id_digits", "fixed_slit_ids", "on_bad_exposure")
    }
    write_if_changed(REQUEST, request_text(EXPOSURES, ASSOCIATIONS, options, INDICES).encode())


def forget_incomplete_table():
    """Remove the table where what it stands for is lost, so that the checkpoint runs again.

    Products depend on their manifests alone, but are made with the indices too.
    """
    if os.path.exists(TABLE):
        wanted = {f"{product}.json" for product in read_products(TABLE)}
        indices = {f"{name}.jsonl" for name in EXPOSURES}
        if wanted - names_in(MANIFESTS) or indices - names_in(INDICES):
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
        raise WorkflowError(f"{name}: the exposures have no such source; see {TABLE}")
    return f"{MANIFESTS}/{name}.json"


with told_in_a_sentence("exp_to_source"):
    check_configuration(config, str(ROOT / "workflow" / "schemas" / "config.schema.yaml"))
    ASSOCIATIONS, EXPOSURES = read_request()
    if workflow.is_main_process and EXPOSURES:
        write_request()
        forget_incomplete_table()
        remove_failed_products("results")


def print_summary(failed):
    """Tell how the run ended."""
    print("\n".join(summarise("results", START, failed)), file=sys.stderr)


onsuccess:
    failures = read_failures("results")
    remove_failed_products("results")
    print_summary(failed=bool(failures))
    if failures:
        sys.exit("\n".join(failures))


onerror:
    failures = read_failures("results")
    remove_failed_products("results")
    print_summary(failed=True)
    print(*failures, sep="\n", file=sys.stderr)


onstart:
    # By now this run has the lock of the folder: nothing else is at work in it.
    remove_leftovers("results")
    forget_failures("results")
