"""Write the report of a run as one HTML page."""

import argparse
import json
import os
from glob import escape, glob

from exp_to_source.errors import exit_on_user_error


def main() -> None:
    """Read the command line, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("report", help="page to write (*.html), in the folder of the run's results")
    add("--request", metavar="FILE", help="options of list_sources.py in the run, one a line")
    add("--configuration", metavar="FILE", help="configuration of the run (JSON)")
    add("--measured", nargs="*", metavar="FILE", help="measurements (by default, all of the run)")
    add("--logs", metavar="FOLDER", help="by default 'logs' beside the folder of the results")
    arguments = parser.parse_args()

    with exit_on_user_error("write_report"):
        from exp_to_source.report.page import write_report
        from exp_to_source.results import MEASURED, SOURCES
        from exp_to_source.run.requests import find_request
        from exp_to_source.tables import check_source_list

        results = os.path.dirname(arguments.report) or "."
        check_source_list(os.path.join(results, SOURCES))
        request = arguments.request or find_request(results, "sources")
        with open(request, encoding="utf-8") as file:
            indices = [line for line in file.read().splitlines() if not line.startswith("--")]
        with open(
            arguments.configuration or find_request(results, "report"), encoding="utf-8"
        ) as file:
            settings = json.load(file)
        write_report(
            arguments.report,
            results=results,
            logs=arguments.logs or os.path.normpath(os.path.join(results, "..", "logs")),
            settings=settings,
            exposures=[os.path.basename(index).removesuffix(".txt") for index in indices],
            measured=arguments.measured
            or sorted(glob(os.path.join(escape(results), MEASURED, "*"))),
        )


if __name__ == "__main__":
    main()
