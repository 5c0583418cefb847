"""Write the report of a run as one HTML page."""

import argparse
import os

from exp_to_source.errors import exit_on_user_error


def main() -> None:
    """Read the command line, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("report", help="page to write (*.html), in the folder of the run's results")
    add("--request", metavar="FILE", help="options of list_sources.py in the run, one a line")
    add("--configuration", metavar="FILE", help="configuration of the run (JSON)")
    add("--logs", metavar="FOLDER", help="by default 'logs' beside the folder of the results")
    arguments = parser.parse_args()

    with exit_on_user_error("write_report"):
        from exp_to_source.report.page import write_report
        from exp_to_source.results import SOURCES
        from exp_to_source.run.requests import find_request
        from exp_to_source.tables import check_source_list

        results = os.path.dirname(arguments.report) or "."
        check_source_list(os.path.join(results, SOURCES))
        write_report(
            arguments.report,
            results=results,
            logs=arguments.logs or os.path.normpath(os.path.join(results, "..", "logs")),
            request=arguments.request or find_request(results, "sources"),
            configuration=arguments.configuration or find_request(results, "report"),
        )


if __name__ == "__main__":
    main()
