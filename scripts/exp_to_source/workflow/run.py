"""A run of the workflow, started from Python: Snakemake in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from signal import Signals
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from ..errors import PROGRAM, InputError
from ..files import check_writable
from ..results import SOURCES, ecsv_path
from .configuration import PASSED, check_configuration

if TYPE_CHECKING:
    from astropy.table import Table

#: How errors begin: those of this workflow, and those of Snakemake.
_ERROR = re.compile(rf"{PROGRAM}\b|\w+(?:Error|Exception)\b")


def snakemake_command(options: Iterable[str]) -> list[str]:
    """Return the command line of Snakemake with the Snakefile and profiles of this package."""
    snakefile = Path(__file__).parents[1] / "root" / "Snakefile"
    # In a clone, it is a link. Safe (-P): the current folder has no packages.
    program = [sys.executable, "-P", "-m", "snakemake", "--snakefile", str(snakefile.resolve())]
    return [*program, *options]


def run(
    exposures: Any = None,
    directory: str | os.PathLike[str] = ".",
    targets: str | Iterable[Any] = (),
    options: str | Iterable[Any] = (),
    **settings: Any,
) -> Table:
    """Run the workflow, as the command ``snakemake`` does, and read its source list.

    Parameters
    ----------
    exposures : str, path, or iterable of them, optional
        The setting `exposures`: globs, folders, files, addresses, ``@FILE``. By default that of
        ``config/config.yaml`` in `directory`.
    directory : str or path
        Where results go, created if absent.
    targets : str or iterable of str
        Targets, such as ``["spec3", "report"]``; by default all products.
    options : str or iterable of str
        Options of Snakemake, such as ``["--cores", 4]``. With those that make no source list, as
        ``--dry-run``, the result is that of the run before, and empty if there is none.
    **settings
        All other settings, as in the configuration file (config/README.md). Arrays and columns of
        tables serve as lists. Text is taken as it is there, where relative paths are relative to
        `directory`; a `Path` is relative to the current folder.

    Returns
    -------
    Table
        The source list, ``results/sources.ecsv``: a row for each product.

    Raises
    ------
    InputError
        If an argument is wrong or the run fails. The message is the end of what it prints, from
        the error on; all of it is on standard error.
    OSError
        If `directory` cannot be written.
    """
    from astropy.table import Table

    words = _words(options)
    for word in words:
        # Snakemake takes the last one.
        if word.partition("=")[0] in ("--configfile", "--configfiles", "--directory", "-d"):
            raise InputError(
                f"options: {word} would have no effect; give directory and settings as arguments"
            )
    # Where it is meant now: other threads may change the current folder.
    directory = os.path.abspath(os.path.expanduser(directory))
    if exposures is not None:
        settings["exposures"] = exposures
    text = json.dumps(settings, default=_to_json)
    plain = json.loads(text)
    if plain.get("sources") == []:
        # In a configuration file, this stands for all.
        raise InputError("sources: the selection is empty; leave it out to have all sources")
    check_configuration(plain)
    check_writable(directory)
    # Nested values on the command line would be text. Nodes of a cluster see the file, too.
    with NamedTemporaryFile("w", dir=directory, prefix=PASSED, suffix=".json") as file:
        file.write(text)
        file.flush()
        words += ["--directory", directory, "--configfile", file.name]
        _execute(snakemake_command([*words, "--", *_words(targets)]))
    table = ecsv_path(os.path.join(directory, "results", SOURCES))
    return Table.read(table, format="ascii.ecsv") if os.path.exists(table) else Table()


def _words(words: str | Iterable[Any]) -> list[str]:
    return words.split() if isinstance(words, str) else list(map(str, words))


def _to_json(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.path.abspath(os.path.expanduser(value))
    return value.tolist() if hasattr(value, "tolist") else list(value)


def _execute(command: Sequence[str]) -> None:
    """Execute a command, whose lines are shown here, in a notebook too; its error ends them."""
    error = ""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        # Where Snakemake reports dry runs.
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout
        try:
            for line in process.stdout:
                print(line, end="", file=sys.stderr)
                begun = _ERROR.match(error) and not _ERROR.match(line)
                error = f"{error}{line}" if begun else line
        except BaseException:
            # Snakemake starts no more jobs, waits for those that run, and reports.
            process.terminate()
            sys.stderr.writelines(process.stdout)
            raise
    if process.returncode < 0:
        name = Signals(-process.returncode).name
        raise InputError(
            f"Snakemake was killed ({name}), perhaps for want of memory; give it more and run again"
        )
    if process.returncode:
        raise InputError(error.strip())
