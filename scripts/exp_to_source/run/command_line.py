"""What was said to Snakemake on its command line, as far as a workflow depends on it.

Its documents have these options; but to a workflow it tells none of them.
"""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

#: Short options without a value, which may stand together: ``-np``.
FLAGS = "nkfFtp"


class CommandLine(NamedTuple):
    """Options of a run.

    Attributes
    ----------
    configfiles : list of str
        Files after the last ``--configfile``, of which the last counts most.
    batch : str
        What follows ``--batch``.
    each_job : bool
        Whether the user wants to read of each job (``--printshellcmds``, ``--verbose``).
    is_job : bool
        Whether this is the process of a job, which Snakemake starts with ``--mode``.
    """

    configfiles: list[str]
    batch: str
    each_job: bool
    is_job: bool


def read_command_line(words: Sequence[str]) -> CommandLine:
    """Take from a command line what a workflow depends on.

    Parameters
    ----------
    words : sequence of str
        The command line without the program's name.

    Returns
    -------
    CommandLine
        Its options; what is not said there but in a profile is not among them.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    add = parser.add_argument
    for letter in FLAGS.replace("p", ""):
        add(f"-{letter}", action="store_true")
    add("--configfile", "--configfiles", nargs="+", default=[])
    add("--batch", default="")
    add("--printshellcmds", "-p", action="store_true")
    add("--verbose", action="store_true")
    add("--mode", default="default")
    try:
        said, _ = parser.parse_known_args(words)
    except argparse.ArgumentError:
        # Snakemake is about to say so, or was not started by a command.
        said = parser.parse_args([])
    each_job = said.printshellcmds or said.verbose
    return CommandLine(said.configfile, said.batch, each_job, said.mode != "default")
