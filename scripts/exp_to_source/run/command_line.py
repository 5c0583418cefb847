"""Options of Snakemake's command line on which the workflow depends.

Snakemake documents these options, but does not pass them to a workflow.
"""

import argparse
import shlex
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
    each_job : bool
        Whether the user wants to see each job (``--printshellcmds``, ``--verbose``).
    is_job : bool
        Whether this is the process of a job, which Snakemake starts with ``--mode``.
    files : list of str
        Files of the results that are asked for by name.
    """

    configfiles: list[str]
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
    return CommandLine(said.configfile, each_job, said.mode != "default", files)


def command_for(target: str, words: Sequence[str]) -> str:
    """Give the command that makes another target of the same working directory and settings.

    Parameters
    ----------
    target : str
        The target.
    words : sequence of str
        A command line without the program's name, that asks for no file.

    Returns
    -------
    str
        The command; empty if it has options that another one may not want, such as --forceall.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    add = parser.add_argument
    for names in (("--directory", "-d"), ("--snakefile", "-s"), ("--profile",)):
        add(*names)
    add("--cores", "-c", nargs="?")
    add("--printshellcmds", "-p", action="store_true")
    add("--config", "-C", nargs="*")
    add("--configfile", "--configfiles", nargs="+")
    add("targets", nargs="*")
    try:
        said, others = parser.parse_known_args(words)
    except argparse.ArgumentError:
        return ""
    options = [word for word in words if word not in ("--", *said.targets)]
    if others or len(options) + len(said.targets) + words.count("--") != len(words):
        return ""
    # Behind --directory, as it is written in the documents; after --config it would be a setting.
    place = 1 + options.index(said.directory) if said.directory in options else 0
    options[place:place] = [target] if target != "all" else []
    return shlex.join(["snakemake", *options])
