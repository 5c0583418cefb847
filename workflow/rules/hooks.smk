"""Messages of a run, and what it cleans up at its start and end."""

import time

import snakemake
from snakemake_interface_logger_plugins.common import LogEvent

from exp_to_source.failures import forget_failures, read_failures, remove_failed_files
from exp_to_source.files import remove_temporary_files, check_writable
from exp_to_source.run import summary
from exp_to_source.run.ending import told
from exp_to_source.run.events import INTERRUPTED
from exp_to_source.run.inputs import count_files
from exp_to_source.run.progress import Progress

START = time.time()
#: Products, pictures and spectra, and the answer of the source list, as they were before the run.
BEFORE = {}
LISTED = file_state(in_results(ANSWERED))
#: Events of single jobs, which are counted, and lines about each round of jobs. The log of the run
#: has all that is not printed on the terminal.
COUNTED = {
    *(LogEvent.JOB_INFO, LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED, LogEvent.GROUP_INFO),
    *(LogEvent.PROGRESS, LogEvent.SHELLCMD, LogEvent.RESOURCES_INFO),
}
ROUNDS = (
    *("Select jobs to execute", "Execute ", "Updating checkpoint", "DAG of jobs will be"),
    "Touching output file",
)
#: Frames about jobs that failed, and last lines: the end of the run says why, in its last lines.
FAILED = {LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR}
LAST = (
    *("Exiting because a job execution failed", "Removing output files of failed job"),
    *("Complete log(s): ", "Elapsed time: ", "WorkflowError:\nAt least one job did not complete"),
    *("Restored previous version of ", "Cannot restore "),
)


def keep_short():
    """Print the progress of the run instead of each job (with --printshellcmds: each job)."""
    if IS_MODULE:
        return
    progress = Progress()
    events = FAILED | (set() if SAID.each_job else COUNTED)
    words = LAST + (() if SAID.each_job else ROUNDS)

    def is_told(record):
        event, text, said = getattr(record, "event", None), str(record.msg), ""
        if event == LogEvent.PROGRESS and not SAID.each_job:
            said = progress.step(record.done, record.total)
        elif event == LogEvent.JOB_ERROR and not EVENTS.interrupted:
            said = progress.failure(record.rule_name, record.log)
        if said:
            print(said, file=sys.stderr, flush=True)
        is_frame = event in events or "CalledProcessError in file" in text
        # Snakemake takes a refusal for an interrupt, too.
        is_untrue = bool(EVENTS.refusals) and text.startswith(INTERRUPTED)
        return not (is_frame or is_untrue or text.startswith(words))

    filter_terminal(is_told)


def end(failed, reasons=()):
    """Say how the run ended, and keep it for machines."""
    said = EVENTS.reasons()
    ended = summary.FAILED if failed or reasons else summary.COMPLETE
    if EVENTS.interrupted:
        ended = summary.INTERRUPTED
    facts = summary.outcome(
        RESULTS,
        BEFORE,
        summary.asked_for(EVENTS.rules, [] if IS_MODULE else SAID.files),
        ended,
        [*said.values(), *EVENTS.refusals, *reasons],
        [*failed_files(RESULTS), *(f for n in said for f in EVENTS.failures[n].outputs)],
        time.time() - START,
        # A run that was to list the sources, but did not, may have a list of an earlier one.
        "list_sources" not in EVENTS.rules
        or file_state(in_results(ANSWERED)) not in (None, LISTED),
    )
    defaults = read_settings(DEFAULTS)
    settings = {key: value for key, value in config.items() if value != defaults[key]}
    notes = count_files(config["exposures"], RESULTS)
    try:
        summary.write_summary(facts, settings, snakemake.__version__)
    except (InputError, OSError) as error:
        # Such as a full disk, of which the reasons tell, too.
        notes.append(f"{RESULTS}/{names.SUMMARY} could not be written: {error}")
    print("\n".join(told(facts, notes, sys.argv[1:])), file=sys.stderr)


onstart:
    # This run now has the lock of the folder: no other run is active in it.
    with exit_on_user_error("exp_to_source"):
        check_writable(RESULTS)
        # Snakemake would remove a product there, and fail with a traceback.
        products = f"{RESULTS}/{names.PRODUCTS}"
        if os.path.isdir(products) and {"list_sources", "gather_source"} & EVENTS.rules:
            check_writable(products)
        remove_temporary_files(RESULTS)
    forget_failures(RESULTS)
    BEFORE.update(summary.file_states(RESULTS))
    EVENTS.is_running = True
    if EVENTS.is_local:
        drop_rate_limit()
    keep_short()


onsuccess:
    failures = read_failures(RESULTS)
    failures += [
        f"{path}: changed while this run was at work; run the same command again"
        for path in changes_of_the_run(START)
    ]
    remove_failed_files(RESULTS)
    end(failed=False, reasons=failures)
    if failures:
        sys.exit(1)
    if is_request_old():
        print(
            "exposures or tables changed meanwhile: run the same command again", file=sys.stderr
        )


onerror:
    failures = read_failures(RESULTS)
    remove_failed_files(RESULTS)
    end(failed=True, reasons=failures)
