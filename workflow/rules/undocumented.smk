"""What is asked of Snakemake beyond its documents, in one place: the next version may change it.

Each has its reason; `test_undocumented.py` tells which of them an installed Snakemake lacks.
"""

from snakemake.logging import logger


def is_module():
    """Whether another workflow uses this one: its configuration and its hooks are then not ours.

    No document tells a workflow that it is a module.
    """
    return not workflow.modifier.is_main_snakefile()


def on_disk(path):
    """Path under which a file of the rules is on disk: a module's have a prefix.

    Rules, and functions for them, have paths without it, which Snakemake adds; but files that are
    looked at or named in shell commands need it. To be called while the workflow is parsed.
    """
    return str(workflow.modifier.modify_path(path))


def have_made_again(find):
    """Have files made again, as --forcerun does; called while the graph of jobs is built.

    What times do not tell, such as an older file in an exposure's place, can be said to Snakemake by
    no documented means: an input that is missing is made only where the job runs anyway, and a job
    runs once more when such an input is gone.
    """
    workflow.dag.forcefiles.update(find())


def filter_terminal(is_told):
    """Have what is not to be told kept off the terminal; the log of the run has it all.

    A logger plugin would have to be installed, and named on the command line.
    """
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler":
            handler.addFilter(is_told)
