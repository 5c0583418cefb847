"""Write the reference page of the commands from their --help.

A test fails if the two differ.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "commands.md"

INTRODUCTION = """\
# Commands

Each step of the workflow is a separate command in `scripts/`. Snakemake runs them with paths that
it chooses. This page shows their `--help`, and is written by `update_commands.py`. For exit codes,
see [Exit codes and errors](errors.md).
"""


def format_page() -> str:
    """Lay out the page: a section for each script, in alphabetical order."""
    parts = [INTRODUCTION]
    for path in sorted(Path(__file__).parent.glob("*.py")):
        text = subprocess.run(
            [sys.executable, path, "--help"],
            env=os.environ | {"COLUMNS": "90"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        parts.append(f"## {path.name}\n\n```text\n{text}```\n")
    return "\n".join(parts)


def main() -> None:
    """Read the command line, write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=PAGE, help="page to write")
    parser.parse_args().output.write_text(format_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
