"""Write the report of a run as one HTML page."""

import argparse
import os

from exp_to_source.errors import told_in_a_sentence


def main() -> None:
    """Read the command line, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("report", help="page to write (*.html), in the folder of the run's results")
    add("--logs", metavar="FOLDER", help="by default 'logs' beside the folder of the results")
    arguments = parser.parse_args()

    with told_in_a_sentence("write_report"):
        from exp_to_source.report import write_report

        results = os.path.dirname(arguments.report) or "."
        write_report(
            arguments.report,
            results=results,
            logs=arguments.logs or os.path.normpath(os.path.join(results, "..", "logs")),
            configuration=os.path.join(results, "configuration.json"),
        )


if __name__ == "__main__":
    main()
