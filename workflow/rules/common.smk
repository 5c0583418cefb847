"""Imports, paths and functions that the rules share.

Nothing here writes or removes a file, as it is also parsed during other runs, and by commands that run
no jobs.
"""

import errno
import hashlib
import json
import os
import re
import shlex
import sys
from functools import cache
from pathlib import Path

ROOT = Path(str(workflow.current_basedir)).parents[1]
SCRIPTS = ROOT / "scripts"
if not SCRIPTS.is_dir():
    sys.exit(f"exp_to_source: {ROOT}: no folder of scripts; clone the repository and use the clone")
sys.path.insert(0, str(SCRIPTS))
# For commands in profiles, which cannot use paths relative to this file.
os.environ.update(EXP_TO_SOURCE=str(ROOT))

from exp_to_source import FORMAT
from exp_to_source.sources.associations import read_association
from exp_to_source.sources.choosing import parse_items
from exp_to_source.run.advice import advice_on_settings, advice_on_target
from exp_to_source.run.command_line import read_command_line
from exp_to_source.run.listings import LISTINGS
from exp_to_source.run.settings import check_configuration, place_of, read_settings
from exp_to_source.errors import (
    InputError,
    suppress_interrupt_traceback,
    did_you_mean,
    exit_on_user_error,
)
from exp_to_source.run.events import Events
from exp_to_source.failures import failed_files
from exp_to_source.files import file_state, has_content, names_in
from exp_to_source.run.inputs import (
    content_digest,
    find_exposures,
    find_files,
    find_table,
    found_files,
    name_exposures,
    name_members,
    named_exposures,
)
from exp_to_source.run.requests import answer_path, request_text
from exp_to_source import results as names
from exp_to_source.naming import PRODUCT_PARTS, get_detector, group_name
from exp_to_source.modes import is_grism
from exp_to_source.results import (
    background_path,
    index_path,
    manifest_path,
    prepared_path,
    product_path,
    quicklook_path,
    references_path,
    spectrum_path,
    survey_path,
)
from exp_to_source.run.outdated import (
    changed_since,
    is_absent_or_older,
    is_empty,
    is_fingerprint_outdated,
    is_index_outdated,
    is_list_outdated,
    is_prepared_outdated,
    is_survey_outdated,
)
from exp_to_source.tables import read_sources, read_table


def advise(record):
    """Add to what Snakemake says: of targets that no rule makes, the right command; of a dry run,
    how many jobs there are for each reason.
    """
    said = str(record.msg)
    if said.startswith("This was a dry-run") and (plan := EVENTS.plan()):
        record.msg = "\n".join((*plan, said))
    elif said.startswith("The run involves checkpoint jobs"):
        record.msg = f"{said}\nThe jobs of products are known once the sources are listed."
    elif advice := advice_on_target(said, sys.argv[1:]):
        record.msg = f"{said}\n{advice}"
    return True


SAID = read_command_line(sys.argv[1:])
#: What the log of this run says; that of another workflow is not ours.
EVENTS = Events()
if not (is_module() or SAID.is_job):
    suppress_interrupt_traceback("interrupted; the same command goes on")
    hear_log(EVENTS.hear)
    hear_log(advise)

INDEX = index_path("results", "{exposure}")
#: Such as jw10006-o010_, s00061, _nirspec_f170lp-g235m; names of associations may have any syntax.
PRODUCT = "{association}{source}{setting}"
CAL_PRODUCT = product_path("results", PRODUCT)
TABLE = f"results/{names.SOURCES}"
REQUESTS = f"results/{names.REQUESTS}"
FINGERPRINTS = f"results/{names.FINGERPRINTS}"
VERDICTS = f"results/{names.VERDICTS}"
MEASURED = f"results/{names.MEASURED}"
#: Products that are verified in one job: this takes seconds, compared to one second to start.
VERIFIED_BATCH = 10
#: Products that are measured in one job, for the report.
MEASURED_BATCH = 50
SIMULATED = [f"exposures/jw10006010001_03101_{n:05d}_nrs1_cal.fits" for n in (1, 2, 3)]

RESULTS = os.path.dirname(on_disk(TABLE))
SIMULATED_ON_DISK = [on_disk(path) for path in SIMULATED]


def in_results(path):
    """Path of a result file on disk, as `on_disk`, but callable at any time."""
    return RESULTS + path.removeprefix("results")


IS_MODULE = is_module()


def one_of(words):
    """Pattern of a wildcard that is one of some words."""
    return "|".join(map(re.escape, words)) or "(?!)"


def command(name, python="", options=""):
    """Param with the shell command of a script, run with the configured Python.

    Snakemake does not rerun a job because of a param that is a function of the output. Products
    therefore stay if the workflow or its Python moves.
    """
    script = str(SCRIPTS / f"{name}.py")
    words = [*python.split(), script, *options.split()]
    return lambda wildcards, output: shlex.join([config["python"] or sys.executable, *words])


def refuse(sentence):
    """End the run; Snakemake shows other exceptions of rule functions with a traceback.

    Snakemake does not report an exit after the checkpoint: the end of the run does then.
    """
    if EVENTS.is_running:
        EVENTS.refusals.append(f"exp_to_source: {sentence}")
    else:
        print(f"exp_to_source: {sentence}", file=sys.stderr)
    sys.exit(1)
