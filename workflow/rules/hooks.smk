"""Messages of a run, and what it cleans up at its start and end."""

import time

from snakemake_interface_logger_plugins.common import LogEvent

from exp_to_source.formats.failures import forget_failures, read_failures, remove_failed_files
from exp_to_source.files import remove_leftovers, try_to_write
from exp_to_source.run.progress import Progress
from exp_to_source.run.summary import product_states, summarise

START = time.time()
#: Products as they were when the run began.
BEFORE = {}
#: Events that are counted, not printed, on the terminal; the log of the run has all of them.
COUNTED = {
    *(LogEvent.JOB_INFO, LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED, LogEvent.GROUP_INFO),
    *(LogEvent.PROGRESS, LogEvent.SHELLCMD, LogEvent.RESOURCES_INFO),
}
ROUNDS = (
    *("Select jobs to execute", "Execute ", "Updating checkpoint", "DAG of jobs will be"),
    "Touching output file",
)


def count_jobs():
    """Print the progress of the run instead of each job (with --printshellcmds: each job)."""
    if IS_MODULE or SAID.each_job:
        return
    progress = Progress()

    def is_told(record):
        event = getattr(record, "event", None)
        if event == LogEvent.PROGRESS and (said := progress.step(record.done, record.total)):
            print(said, file=sys.stderr, flush=True)
        return event not in COUNTED and not str(record.msg).startswith(ROUNDS)

    filter_terminal(is_told)


def print_summary(failed):
    """Print how the run ended."""
    lines = summarise(RESULTS, BEFORE, failed, time.time() - START)
    print("\n".join(lines), file=sys.stderr)


onstart:
    # This run now has the lock of the folder: no other run is active in it.
    with told_in_a_sentence("exp_to_source"):
        try_to_write(RESULTS)
        remove_leftovers(RESULTS)
    forget_failures(RESULTS)
    BEFORE.update(product_states(RESULTS))
    count_jobs()


onsuccess:
    failures = read_failures(RESULTS)
    failures += [
        f"{path}: changed while this run was at work; run the same command again"
        for path in changes_of_the_run(START)
    ]
    remove_failed_files(RESULTS)
    print_summary(failed=bool(failures))
    if failures:
        sys.exit("\n".join(failures))
    if is_request_old():
        print(
            "exposures or tables changed meanwhile: run the same command again", file=sys.stderr
        )


onerror:
    failures = read_failures(RESULTS)
    remove_failed_files(RESULTS)
    print_summary(failed=True)
    if failures:
        print("\n".join(failures), file=sys.stderr)
