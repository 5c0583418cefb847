"""Write the reference page of the commands from their parser; a test fails if the two differ."""

import os
from pathlib import Path

from exp_to_source.cli import make_parsers
from exp_to_source.errors import PROGRAM

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "commands.md"

INTRODUCTION = f"""\
# Commands

Each step of the workflow is a subcommand of `{PROGRAM}`, which `make setup` installs, and which
`scripts/{PROGRAM}` starts without being installed. Snakemake runs them with paths that it chooses.
`update_commands.py` writes this page. For exit codes, see [Exit codes and errors](errors.md).
"""


def format_page() -> str:
    """Lay out the page: a section for each subcommand, as its parser has them."""
    os.environ["COLUMNS"] = "90"
    _, commands = make_parsers()
    sections = (f"## {name}\n\n```text\n{p.format_help()}```\n" for name, p in commands.items())
    return "\n".join([INTRODUCTION, *sections])


if __name__ == "__main__":
    PAGE.write_text(format_page(), encoding="utf-8")
