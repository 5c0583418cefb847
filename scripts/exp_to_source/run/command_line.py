"""Options of Snakemake's command line on which the workflow depends.

Snakemake documents these options, but does not pass them to a workflow.
"""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

#: Short options without a value, which may be combined: ``-np``.
FLAGS = "nkfFt"


class CommandLine(NamedTuple):
    """Options of a run.

    Attributes
    ----------
    configfiles : list of str
        Files after the last ``--configfile``; later files override earlier ones.
    batch : str
        Value of ``--batch``.
    each_job : bool
        Whether the user wants to see each job (``--printshellcmds``, ``--verbose``).
    is_job : bool
        Whether this is the process of a job, which Snakemake starts with ``--mode``.
    files : list of str
        Files of the results that are asked for by name.
    """

    configfiles: list[str]
    batch: str
    each_job: bool
    is_job: bool
    files: list[str]


def read_command_line(words: Sequence[str]) -> CommandLine:
    """Read the options of a command line on which the workflow depends.

    Parameters
    ----------
    words : sequence of str
        The command line without the program's name.

    Returns
    -------
    CommandLine
        Its options, without those set in a profile.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    add = parser.add_argument
    for letter in FLAGS:
        add(f"-{letter}", action="store_true")
    add("--configfile", "--configfiles", nargs="+", default=[])
    add("--batch", default="")
    add("--printshellcmds", "-p", action="store_true")
    add("--verbose", action="store_true")
    add("--mode", default="default")
    try:
        said, others = parser.parse_known_args(words)
    except argparse.ArgumentError:
        # Snakemake will report the error, or was not started by a command.
        said, others = parser.parse_args([]), []
    each_job = said.printshellcmds or said.verbose
    files = [word for word in others if word.startswith("results/")]
    return CommandLine(said.configfile, said.batch, each_job, said.mode != "default", files)
