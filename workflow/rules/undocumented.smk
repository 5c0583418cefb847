"""Private attributes of Snakemake, all in this file: the next version may change them.

Each has its reason. `test_undocumented.py` names those that an installed Snakemake lacks.
"""

from snakemake.logging import logger


def is_module():
    """Whether another workflow uses this one, with its own configuration and hooks.

    There is no documented way for a workflow to know that it is a module.
    """
    return not workflow.modifier.is_main_snakefile()


def on_disk(path):
    """Path on disk of a file of the rules: those of a module have a prefix.

    Rules, and functions for them, have paths without it, which Snakemake adds; but files that are
    looked at or named in shell commands need it. To be called while the workflow is parsed.
    """
    return str(workflow.modifier.modify_path(path))


def have_made_again(find):
    """Have files made again, as with --forcerun; called while the graph of jobs is built.

    File times do not show some changes, such as an exposure replaced by an older file. There is no
    documented way to say so to Snakemake: it makes a missing input only if the job runs anyway, and
    reruns a job if such an input is gone.
    """
    workflow.dag.forcefiles.update(find())


def filter_terminal(is_told):
    """Keep some records off the terminal; the log of the run has all of them.

    A logger plugin would have to be installed, and named on the command line.
    """
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler":
            handler.addFilter(is_told)


def hear_log(hear):
    """Have a function called with each record of the log, whatever is printed.

    For the same reason. It returns true, as filters do that leave a record through.
    """
    logger.addFilter(hear)
