"""Errors that a user can correct, each reported in one sentence."""

from __future__ import annotations

import errno
import os
import sys

from . import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

#: Begins each message on a mistake of the user.
PROGRAM = "exp-to-source"

#: What to do about errors of the operating system.
HINTS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space and run again"),
    errno.EFBIG: "raise the limit for the size of files and run again",
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM),
        "change its permissions, or choose a working directory that you may write to",
    ),
    errno.EROFS: "choose a working directory that you may write to",
    errno.ENOENT: "bring it back, or correct the path",
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), "it must be a folder: move it away"),
    errno.EISDIR: "it must be a file: move the folder away",
}


class InputError(Exception):
    """Bad input: the message says which file, what is wrong and what to do."""


class OtherKindError(InputError):
    """A file is not an exposure that can be regrouped, by its header.

    Parameters
    ----------
    message : str
        As of other errors.
    kind : str
        What it is: its data model, and its exposure type if it has one.
    """

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


def list_some(names: Iterable[object], separator: str = ", ", limit: int = 6) -> str:
    """List the first few names, and how many more there are."""
    texts = list(map(str, names))
    more = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return separator.join(texts[:limit]) + more


def pluralize(number: int, noun: str) -> str:
    """Format a number with its noun: ``1 exposure``, ``2 exposures``."""
    return f"{number} {noun}{'s' * (number != 1)}"


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Suggest the nearest of some words; empty if none is near."""
    # Imported only after an error: gather needs every millisecond of its start.
    from difflib import get_close_matches

    near = get_close_matches(word, list(words), 1, 0.8)
    return f" (did you mean {near[0]!r}?)" if near else ""


def suppress_interrupt_traceback(line: str) -> None:
    """Print a line instead of a traceback if this process is interrupted (Ctrl-C)."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            print(line, file=sys.stderr)
        else:
            sys.__excepthook__(kind, error, trace)

    sys.excepthook = hook


class exit_on_user_error:  # noqa: N801, used as a function, like those of contextlib
    """End the program with one sentence and exit status 1 if the user can correct the error.

    Parameters
    ----------
    prog : str
        Name of the command, put before the sentence.

    Raises
    ------
    SystemExit
        In place of `InputError`, `OSError`, `MemoryError` or `ModuleNotFoundError`.
    """

    def __init__(self, prog: str = PROGRAM) -> None:
        self.prog = prog

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, KeyboardInterrupt):
            suppress_interrupt_traceback(f"{self.prog}: interrupted")
        elif error is not None and (message := format_error(error)):
            sys.exit(f"{self.prog}: {message}")


def format_error(error: BaseException) -> str:
    """Format an error as a sentence; empty if the user cannot correct it."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, OSError):
        path = f"{error.filename}: " if error.filename else ""
        return f"{path}{error.strerror or error}; {_hint_for(error)}"
    if isinstance(error, MemoryError):
        return "not enough memory; give this job more and run again"
    if isinstance(error, ModuleNotFoundError):
        return (
            f"{sys.executable} has no package {error.name!r}; set the environment up with "
            "'make setup', or activate the one that has it"
        )
    return ""


def _hint_for(error: OSError) -> str:
    path = error.filename or ""
    if isinstance(error, PermissionError) and os.path.isfile(path) and not os.access(path, os.R_OK):
        return "change its permissions, so that you can read it"
    return HINTS.get(error.errno or 0, "check the file system and run again")
