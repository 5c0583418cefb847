"""What a run does at its start and end."""


def drop_rate_limit():
    """Drop Snakemake's own limit of 100 jobs a second, which no run on one machine comes near.

    To keep to it, Snakemake looks at all ready jobs again a second after each look, and that for
    each job that ended: 300 jobs of half a second took 9154 looks, and 29 s of CPU instead of 6.
    No option says that there is no limit. Another one, as in profiles for clusters, stays.
    https://github.com/snakemake/snakemake/pull/3744 is about these looks.
    """
    limiter = workflow.scheduler.job_rate_limiter
    if limiter and (limiter.max_jobs, limiter.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


onstart:
    with exit_on_user_error():
        SESSION.start()
    drop_rate_limit()


def end_session(failed):
    """Report how the run ended; return whether something failed, though perhaps no job did."""
    return SESSION.end(failed, INPUTS.run, config, read_configfile(DEFAULTS))


onsuccess:
    if end_session(False):
        sys.exit(1)


onerror:
    end_session(True)
