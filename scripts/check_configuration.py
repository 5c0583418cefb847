"""Check configuration files, and report the line of each mistake."""

import argparse
from pathlib import Path

from exp_to_source.errors import exit_on_user_error

SCHEMA = Path(__file__).parents[1] / "workflow" / "schemas" / "config.schema.yaml"


def main() -> None:
    """Read the command line, and check each file separately."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE", help="settings (YAML)")
    arguments = parser.parse_args()
    with exit_on_user_error("check_configuration"):
        from exp_to_source.run.settings import check_configuration, read_settings

        for path in arguments.files:
            check_configuration(read_settings(path), str(SCHEMA), [path])
            print(f"{path}: sound")


if __name__ == "__main__":
    main()
