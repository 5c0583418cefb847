"""Check the parameters of the steps after regrouping, before any is run."""

import argparse

from exp_to_source.errors import told_in_a_sentence


def main() -> None:
    """Read the command line, check the parameters, write them down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("request", help='parameters by step, as JSON: {"steps": {...}}')
    parser.add_argument("parameters", help="where to write them, once they are checked")
    arguments = parser.parse_args()
    with told_in_a_sentence("spec3"):
        from exp_to_source.spec3.steps import require_jwst

        require_jwst()
        from exp_to_source.spec3.parameters import write_parameters

        write_parameters(arguments.request, arguments.parameters)


if __name__ == "__main__":
    main()
