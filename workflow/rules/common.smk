"""Imports and paths that the rules share.

Nothing here writes or removes a file of a run, as it is also parsed during other runs, and by commands
that run no jobs.
"""

import os
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory


def clone_hosted(source):
    """Return a clone, beside the bare one that Snakemake keeps, of what github or gitlab names."""
    bare = source.hosted_repo.repo
    commit = bare.commit(source.ref).hexsha
    clone = Path(f"{bare.git_dir}.{commit}")
    if not clone.is_dir():
        with TemporaryDirectory(dir=clone.parent) as folder:
            bare.clone(f"{folder}/clone", no_checkout=True).git.checkout(commit)
            # Another run may have been faster.
            with suppress(OSError):
                os.rename(f"{folder}/clone", clone)
    return clone


FOLDER = workflow.current_basedir
if hasattr(FOLDER, "repo"):
    # Of a hosted module, Snakemake has the rules and scripts; their commands need the library, too.
    ROOT = clone_hosted(FOLDER)
else:
    ROOT = Path(str(FOLDER)).parents[1].resolve()
LIBRARY = ROOT / "scripts" / "exp_to_source"
if not LIBRARY.is_dir():
    # Installed: the package has these files in its folder "root".
    LIBRARY = ROOT.parent
if not (LIBRARY / "cli.py").is_file():
    sys.exit(f"exp-to-source: {ROOT}: no library; use a clone, its package, github() or gitlab()")
# For the commands of jobs, and of profiles, which cannot use paths relative to this file.
os.environ.update(
    EXP_TO_SOURCE=str(ROOT),
    EXP_TO_SOURCE_LIBRARY=str(LIBRARY),
    PATH=os.pathsep.join([f"{LIBRARY}/bin", *os.get_exec_path()]),
)
sys.path.insert(0, str(LIBRARY.parent))
from exp_to_source import FORMAT

# The package has its modules now; what else is installed beside it has its usual place.
sys.path.pop(0)
from exp_to_source import results as names
from exp_to_source.errors import exit_on_user_error, suppress_interrupt_traceback
from exp_to_source.naming import PRODUCT, PRODUCT_PARTS
from exp_to_source.workflow.checks import check_results, check_storage
from exp_to_source.workflow.configuration import (
    check_configuration,
    locate_setting,
    read_configfile,
)
from exp_to_source.workflow.input_functions import LISTINGS, InputFunctions, one_of
from exp_to_source.workflow.resolve import resolve_run
from exp_to_source.workflow.session import Session
from exp_to_source.workflow.triggers import digest

#: Whether another workflow uses this one as a module, with its own settings and hooks.
IS_MODULE = Path(workflow.basedir).resolve() not in (ROOT, ROOT / "workflow")
if not IS_MODULE:
    suppress_interrupt_traceback("interrupted; run the same command again to continue")

CAL_PRODUCT = names.product_path("results", PRODUCT)
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
