"""Configuration, the exposures of the run, and what the rules share.

Only looked at: nothing here writes or removes a file, as this is parsed beside other runs, and where
nothing is to be run.
"""

import errno
import hashlib
import os
import shlex
import sys
from functools import cache
from pathlib import Path

ROOT = Path(str(workflow.current_basedir)).parents[1]
SCRIPTS = ROOT / "scripts"
if not SCRIPTS.is_dir():
    sys.exit(f"exp_to_source: {ROOT}: no folder of scripts; clone the repository and use the clone")
sys.path.insert(0, str(SCRIPTS))
# For commands in profiles, which cannot say "beside this file".
os.environ.update(EXP_TO_SOURCE=str(ROOT))

from exp_to_source import FORMAT
from exp_to_source.sources.associations import read_association
from exp_to_source.sources.choosing import items_of
from exp_to_source.run.command_line import read_command_line
from exp_to_source.run.listings import LISTINGS
from exp_to_source.run.settings import check_configuration, read_settings
from exp_to_source.errors import InputError, suggestion, told_in_a_sentence
from exp_to_source.formats.failures import failed_products
from exp_to_source.files import file_state, has_content, names_in
from exp_to_source.run.request import (
    content_digest,
    find_exposures,
    find_files,
    find_table,
    name_exposures,
    request_text,
)
from exp_to_source import results as names
from exp_to_source.naming import PRODUCT_PARTS
from exp_to_source.results import index_path, manifest_path, product_path
from exp_to_source.run.outdated import (
    changed_since,
    is_due,
    is_empty,
    is_fingerprint_outdated,
    is_index_outdated,
    is_list_outdated,
)
from exp_to_source.tables import read_products, read_table

SAID = read_command_line(sys.argv[1:])
DEFAULTS = str(ROOT / "config" / "config.yaml")
#: Settings of the working directory, where it has some; a module has those that it is given.
OWN_SETTINGS = [
    path
    for path in ("config/config.yaml",)
    if not is_module()
    and os.path.lexists(path)
    and os.path.realpath(path) != os.path.realpath(DEFAULTS)
]

with told_in_a_sentence("exp_to_source"):
    # Of a file that is not YAML, Snakemake tells neither the name nor the line.
    for path in (DEFAULTS, *OWN_SETTINGS):
        read_settings(path)


configfile: DEFAULTS


for path in OWN_SETTINGS:

    configfile: path


INDEX = index_path("results", "{exposure}")
PRODUCT = "jw{program}-{candidate}_{source}_{instrument}_{elements}"
CAL_PRODUCT = product_path("results", PRODUCT)
TABLE = f"results/{names.SOURCES}"
REQUESTS = f"results/{names.REQUESTS}"
FINGERPRINTS = f"results/{names.FINGERPRINTS}"
VERDICTS = f"results/{names.VERDICTS}"
#: What the files of requests say, by name.
TEXTS = {}
#: Products that are verified in one job: seconds, against the second that it takes to start.
BATCH = 10
SIMULATED = [f"exposures/jw10006010001_03101_{n:05d}_nrs1_cal.fits" for n in (1, 2, 3)]

RESULTS = os.path.dirname(on_disk(TABLE))
SIMULATED_ON_DISK = [on_disk(path) for path in SIMULATED]


def in_results(path):
    """Path under which a file of the results is on disk, as `on_disk`, but at any time."""
    return RESULTS + path.removeprefix("results")


IS_MODULE = is_module()


def command(name, python="", options=""):
    """Param with the shell command of a script, run by the Python of the settings.

    Snakemake does not make things again because of a param that is a function of the output: so
    products stay when the workflow or its Python move.
    """
    script = str(SCRIPTS / f"{name}.py")
    words = [*python.split(), script, *options.split()]
    return lambda wildcards, output: shlex.join([config["python"] or sys.executable, *words])


def refuse(sentence):
    """End the run; other exceptions of functions of rules come with a traceback.

    Printed first, as Snakemake says nothing of one that ends it after the checkpoint.
    """
    print(f"exp_to_source: {sentence}", file=sys.stderr)
    sys.exit(1)


def check_storage(path):
    """Refuse results elsewhere than in a file system: they lead to bytes of the exposures."""
    if str(path).startswith(".snakemake/storage/"):
        raise InputError(
            "--default-storage-provider is not supported: results belong in a file system that "
            "all jobs share; leave it out (see docs/module.md)"
        )


def check_results():
    """Refuse what Snakemake would fail at with a traceback: results that cannot be looked into."""
    logs = os.path.join(os.path.dirname(RESULTS), "logs")
    for folder in (RESULTS, f"{RESULTS}/{names.INDICES}", logs, ".snakemake"):
        if os.path.lexists(folder) and not os.path.isdir(folder):
            raise InputError(f"{folder}: is no folder; move it away")
    for folder in (RESULTS, f"{RESULTS}/{names.INDICES}"):
        if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
    own = ".snakemake" if os.path.isdir(".snakemake") else "."
    if not os.access(own, os.W_OK):
        read_only = os.statvfs(own).f_flag & os.ST_RDONLY
        why = errno.EROFS if read_only else errno.EACCES
        raise PermissionError(why, os.strerror(why), os.path.abspath(own))


def failure_record(wildcards, resources):
    """Option of a gather that must not fail, as the group it is run in would lose its neighbours.

    Profiles of clusters ask for it by a resource. What was recorded fails the run in the end, in
    the hooks below, which are not run where this workflow is a module of another.
    """
    if resources.get("record_failure") and not IS_MODULE:
        return f"--record-failure {RESULTS}/{names.FAILURES}/{PRODUCT.format(**wildcards)}.txt"
    return ""


def read_request():
    """Associations and exposures of the configuration, the latter by name."""
    paths = find_files("associations", config["associations"])
    associations = [read_association(path) for path in paths]
    if config["demo"]:
        found = SIMULATED_ON_DISK
    else:
        found = find_exposures(config["exposures"], RESULTS, may_be_made=IS_MODULE)
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
    return [f"--{key}={path}" for path in TABLES[key]]


def request_of_list():
    """What the source list is asked for; as a file, by it a run notices that this is new."""
    keys = ("group_by", "source_id_digits", "on_bad_exposure")
    options = [f"--{key.replace('_', '-')}={config[key]}" for key in keys]
    options += [*join_options(), *choice_options()]
    return request_text(EXPOSURES, ASSOCIATIONS, options, f"{RESULTS}/{names.INDICES}")


def remember(what, text, files=""):
    """Path of a text in a file of its own, called after its content, and that of files it names.

    A run has the text in its memory: nothing that is parsed beside it can change what it asks for.
    """
    path = f"{REQUESTS}/{what}-{hashlib.sha256((text + files).encode()).hexdigest()[:16]}.txt"
    TEXTS[os.path.basename(path)] = text
    return path


def text_of(wildcards):
    """Text of a request of this run."""
    text = TEXTS.get(f"{wildcards.request}.txt")
    if text is None:
        refuse(
            f"{wildcards.request}: is a request of other settings than those of this run; ask for "
            "it with these, or for the target 'sources'"
        )
    return text


def outdated_files():
    """Files that have to be made again though times do not tell."""
    indices = {index_path(RESULTS, name): path for name, path in EXPOSURES.items()}
    yield from (index for index, path in indices.items() if is_index_outdated(index, path))
    prints = {f"{RESULTS}/{names.FINGERPRINTS}/{n}.jsonl": path for n, path in EXPOSURES.items()}
    yield from (file for file, path in prints.items() if is_fingerprint_outdated(file, path))
    request, text = in_results(REQUEST), TEXTS[os.path.basename(REQUEST)]
    if os.path.exists(request) and not has_content(request, text.encode()):
        yield request
    if is_list_outdated(in_results(TABLE), in_results(REQUEST), indices):
        yield in_results(TABLE)
    if not os.path.exists(in_results(CONFIGURATION)):
        yield f"{RESULTS}/{names.REPORT}"
    failed = [product_path(RESULTS, name) for name in failed_products(RESULTS)]
    yield from filter(is_empty, failed)
    previous = names_in(f"{RESULTS}/{names.PREVIOUS}")
    kept = (f"{RESULTS}/{names.PRODUCTS}/{name}" for name in previous)
    yield from filter(is_due, kept)


@cache
def force_outdated():
    """Have outdated files made again; what is not asked for stays as it is.

    Jobs ask for their files in processes of their own; there nothing is to be looked for.
    """
    if SAID.is_job:
        return
    with told_in_a_sentence("exp_to_source"):
        have_made_again(outdated_files)


def changes_of_the_run(start):
    """Exposures that changed after this run had indexed them."""
    indices = {path: index_path(RESULTS, name) for name, path in EXPOSURES.items()}
    return [path for path, index in indices.items() if changed_since(start, index, path)]


def is_request_old():
    """Whether exposures or tables that the settings name are others than when the run began."""
    try:
        associations, exposures = read_request()
        digest = content_digest(named_files(associations))
    except (InputError, OSError):
        return True
    return (exposures, digest) != (EXPOSURES, STATE)


def named_files(associations):
    """The user's files, other than exposures, that the settings name."""
    return [*(association.path for association in associations), *sum(TABLES.values(), [])]


def exposure_file(wildcards):
    """File of an exposure: the user's, and so without the prefix of a module."""
    return local(EXPOSURES[wildcards.exposure])


def association_files():
    """Files of the associations, the user's as well."""
    return [local(association.path) for association in ASSOCIATIONS]


def table_files(*keys):
    """Files of the user's tables."""
    return [local(path) for key in keys for path in TABLES[key]]


def index_files(wildcards):
    """Indices of all exposures."""
    if not EXPOSURES:
        refuse(
            "no exposures: set 'exposures' or 'associations', for example with "
            "--config exposures='data/jw*_cal.fits'"
        )
    force_outdated()
    return [index_path("results", name) for name in EXPOSURES]


@cache
def products_in(table, state):
    """Names of the products in their order, read once for each state of the table."""
    return dict.fromkeys(read_products(table))


def products():
    """Names of the products, which the checkpoint has listed."""
    if SAID.batch:
        refuse(
            "--batch divides what is asked for before the sources are known; choose "
            "some of them at a time, as in --config sources=1-500 (docs/how-to/rerun.md)"
        )
    if RESULTS not in LISTINGS:
        refuse("a rule is used without the others; say 'use rule * from' this workflow before it")
    table = str(LISTINGS[RESULTS].get().output.table)
    return products_in(table, file_state(table))


def product_files(wildcards):
    """Files of all products."""
    return [product_path("results", name) for name in products()]


def batch_files(wildcards):
    """Files of the products of a batch."""
    first = int(wildcards.batch) * BATCH
    return product_files(wildcards)[first : first + BATCH]


def verdict_files(wildcards):
    """Verdicts on all batches of products."""
    return [f"{VERDICTS}/{n}.jsonl" for n in range(-(-len(products()) // BATCH))]


def manifest_of(wildcards):
    """Manifest of a product, by way of the checkpoint, which writes it."""
    name = PRODUCT.format(**wildcards)
    if name not in products():
        left_out = {
            row["product"]: row["reason"] for row in read_table(f"{RESULTS}/{names.LEFT_OUT}")
        }
        if name in left_out:
            refuse(
                f"{name}: {left_out[name]}; to make it, change the settings 'sources', 'catalog', "
                "'exclude' or 'min_exposures'"
            )
        hint = suggestion(name, products())
        refuse(f"{name}: the exposures have no such source{hint}; see {RESULTS}/{names.SOURCES}")
    return manifest_path("results", name)


with told_in_a_sentence("exp_to_source"):
    check_results()
    check_configuration(
        config,
        str(ROOT / "workflow" / "schemas" / "config.schema.yaml"),
        files=[DEFAULTS, *OWN_SETTINGS, *SAID.configfiles],
    )
    ASSOCIATIONS, EXPOSURES = read_request()
    TABLES = {key: find_table(key, config[key]) for key in ("catalog", "joins")}
    # Times do not tell of a table in the place of which an older one was put.
    STATE = content_digest(named_files(ASSOCIATIONS))
    REQUEST = remember("sources", request_of_list(), STATE)
