"""Errors that a user can cause, each told in one sentence."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class InputError(Exception):
    """Bad input: the message says which file, what is wrong and what to do."""


@contextmanager
def told_in_a_sentence(command: str) -> Iterator[None]:
    """End the program with one sentence and exit status 1 where the input or the disk is at fault.

    Parameters
    ----------
    command : str
        Name of the command line program, put before the sentence.

    Raises
    ------
    SystemExit
        In place of `InputError`, `OSError` or `MemoryError`.
    """
    try:
        yield
    except InputError as error:
        sys.exit(f"{command}: {error}")
    except OSError as error:
        place = error.filename2 or error.filename
        sys.exit(f"{command}: {f'{place}: ' if place else ''}{error.strerror or error}")
    except MemoryError:
        sys.exit(f"{command}: not enough memory; give this job more and run again")
