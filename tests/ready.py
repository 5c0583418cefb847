"""A process that has Snakemake imported and forks for each run, as imports are half of a start.

Requests are lines of JSON on standard input: arguments, environment, where the output goes. Each
is answered by the exit status of its run.
"""

import gc
import json
import os
import sys

import jsonschema  # noqa: F401
import smart_open  # noqa: F401
import snakemake.cli
import snakemake.profiles
import snakemake.report.html_reporter
import snakemake.storage


def run(arguments: list[str], environment: dict[str, str], folder: str, output: str) -> None:
    """Be a run of Snakemake."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.dup2(1, 2)
    sys.argv = ["snakemake", *arguments]
    snakemake.cli.main()


def main() -> None:
    """Answer requests, one after the other."""
    # Plugins are found, and what is there is shared by all that is forked.
    snakemake.cli.get_argument_parser()
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
