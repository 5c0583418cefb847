"""List the sources, with the settings of the run, which may be longer than a command line."""

import os
import sys

job = snakemake  # noqa: F821, which Snakemake defines
sys.path.insert(0, os.path.dirname(os.environ["EXP_TO_SOURCE_LIBRARY"]))
import exp_to_source  # noqa: E402, F401

# As in bin/start.py of the library.
sys.path.pop(0)
from exp_to_source.cli import main  # noqa: E402
from exp_to_source.errors import PROGRAM, exit_on_user_error  # noqa: E402
from exp_to_source.files import write_file  # noqa: E402

# Open until the end of Python, which writes the error of a user to it.
sys.stderr = open(job.log[0], "w")  # noqa: SIM115
with exit_on_user_error(f"{PROGRAM} list"):
    write_file(job.output.settings, job.params.settings.encode())
main(["list", job.output.settings, job.output.table])
