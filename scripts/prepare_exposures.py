"""Do what Spec3Pipeline does before it regroups exposures: moving targets, master background.

It needs the jwst package, which the workflow itself does not.
"""

import argparse

from exp_to_source.spec3.jobs import run_job
from exp_to_source.spec3.steps import LOG_TO_STDERR


def main() -> None:
    """Read the command line, do one of the tasks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fork", action="store_true", help="share the start of Python with others")
    tasks = parser.add_subparsers(dest="task", required=True)
    survey = tasks.add_parser("survey", help="what the exposures of an association have in common")
    background = tasks.add_parser("background", help="combine the background members")
    for task in (survey, background):
        task.add_argument("association", help="level 3 association (*_asn.json)")
    prepare = tasks.add_parser("prepare", help="prepare one exposure")
    add = prepare.add_argument
    add("exposure", help="*_cal.fits")
    add("--survey", required=True, dest="summary", metavar="FILE", help="file of survey")
    add("--background", nargs="?", metavar="FILE", help="file of background")
    add("--log", default=LOG_TO_STDERR, metavar="FILE", help="where its messages go")
    for task in (survey, background, prepare):
        task.add_argument("output", help="file to write")
    request = vars(parser.parse_args())
    task, fork = request.pop("task"), request.pop("fork")
    run_job(task, request, offline=True, fork=fork)


if __name__ == "__main__":
    main()
