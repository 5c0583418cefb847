"""Private attributes of Snakemake, all in this file: the next version may change them.

Each has its reason. `test_undocumented.py` names those that an installed Snakemake lacks.
"""

import logging

#: The log of Snakemake, named as Python's loggers are.
LOG = logging.getLogger("snakemake.logging")


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


def is_divided():
    """Whether the run is one of several batches (--batch); called while the graph of jobs is built.

    The command line may say so in short, or a profile may.
    """
    return workflow.dag.batch is not None


def filter_terminal(is_told):
    """Keep some records off the terminal; the log of the run has all of them.

    A logger plugin would have to be installed, and named on the command line.
    """
    for handler in LOG.handlers:
        if isinstance(handler, logging.StreamHandler) and not hasattr(handler, "baseFilename"):
            handler.addFilter(is_told)


def hear_log(hear):
    """Have a function called with each record of the log, whatever is printed.

    For the same reason. It returns true, as filters do that leave a record through.
    """
    LOG.addFilter(hear)


def drop_rate_limit():
    """Drop Snakemake's own limit of 100 jobs a second, which no run on one machine comes near.

    To keep to it, Snakemake looks at all ready jobs again a second after each look, and that for
    each job that ended: 300 jobs of half a second took 9154 looks, and 29 s of CPU instead of 6.
    No option says that there is no limit. One that the user has set stays.
    """
    limiter = workflow.scheduler.job_rate_limiter
    if limiter and (limiter.max_jobs, limiter.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None
