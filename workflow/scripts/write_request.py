"""Write a request that the run has in memory, of any length."""

import sys
from pathlib import Path

job = snakemake  # noqa: F821, which Snakemake defines
sys.path.insert(0, str(Path(job.scriptdir).parents[1] / "scripts"))
from exp_to_source.errors import exit_on_user_error  # noqa: E402
from exp_to_source.run.requests import write_request  # noqa: E402

with open(job.log[0], "w") as sys.stderr, exit_on_user_error("write_request"):
    write_request(job.output.request, job.params.text)
