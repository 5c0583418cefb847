"""Imports and paths that the rules share.

Nothing here writes or removes a file, as it is also parsed during other runs, and by commands that run
no jobs.
"""

import os
import shlex
import sys
from functools import cache
from pathlib import Path

ROOT = Path(str(workflow.current_basedir)).parents[1].resolve()
SCRIPTS = ROOT / "scripts"
if not SCRIPTS.is_dir():
    sys.exit(f"exp-to-source: {ROOT}: no folder of scripts; clone the repository and use the clone")
sys.path.insert(0, str(SCRIPTS))
# For the commands of jobs, and of profiles, which cannot use paths relative to this file.
os.environ.update(
    EXP_TO_SOURCE=str(ROOT), PATH=os.pathsep.join([f"{SCRIPTS}/bin", *os.get_exec_path()])
)

from exp_to_source import FORMAT
from exp_to_source import results as names
from exp_to_source.errors import (
    InputError,
    exit_on_user_error,
    format_error,
    suppress_interrupt_traceback,
)
from exp_to_source.failures import empty_files
from exp_to_source.files import file_state, names_in
from exp_to_source.naming import PRODUCT_PARTS
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
from exp_to_source.run.checks import check_results, check_storage
from exp_to_source.run.configuration import check_configuration, locate_setting, read_configfile
from exp_to_source.run.listings import LISTINGS
from exp_to_source.run.products import (
    find_row,
    one_of,
    read_rows,
    select_classes,
    select_family,
    spectrum_paths,
)
from exp_to_source.run.resolve import resolve_run
from exp_to_source.run.session import Session
from exp_to_source.run.triggers import batches, digest, file_trigger, rows_trigger
from exp_to_source.tables import read_table

#: Whether another workflow uses this one as a module, with its own settings and hooks.
IS_MODULE = Path(workflow.basedir).resolve() not in (ROOT, ROOT / "workflow")
if not IS_MODULE:
    suppress_interrupt_traceback("interrupted; run the same command again to continue")

#: Such as jw10006-o010_, s00061, _nirspec_f170lp-g235m; names of associations may have any syntax.
PRODUCT = "{association}{source}{setting}"
CAL_PRODUCT = product_path("results", PRODUCT)
TABLE = f"results/{names.SOURCES}"
FINGERPRINTS = f"results/{names.FINGERPRINTS}"
VERDICTS = f"results/{names.VERDICTS}"
MEASURED = f"results/{names.MEASURED}"
#: Products that one job verifies, which takes seconds, and that one job measures for the report.
VERIFIED_BATCH, MEASURED_BATCH = 10, 50
EXPOSURE = "[A-Za-z0-9][A-Za-z0-9_.+-]*"
BATCH = "[0-9a-f]{16}"

# Rules, and functions for them, have paths without the prefix of a module, which Snakemake adds; but
# files that are looked at or named in shell commands need it. No documented name has it; see
# https://github.com/snakemake/snakemake/pull/2888 on what else needs unmodified paths.
RESULTS = os.path.dirname(str(workflow.modifier.modify_path(TABLE)))
SETTINGS = f"{RESULTS}/{names.SETTINGS}"
SESSION = Session(RESULTS)
