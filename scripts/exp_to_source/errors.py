"""Errors that a user can cause, each told in one sentence."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: What to do about errors of the operating system.
REMEDIES = {
    errno.ENOSPC: "free some space and run again",
    errno.EDQUOT: "free some space and run again",
    errno.EFBIG: "raise the limit for the size of files and run again",
    errno.EACCES: "choose a working directory that you may write to, or change its permissions",
    errno.EPERM: "choose a working directory that you may write to, or change its permissions",
    errno.EROFS: "choose a working directory that you may write to",
    errno.ENOENT: "bring it back, or mend the path",
    errno.ENOTDIR: "it must be a folder: move it away",
}


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
        place = f"{error.filename}: " if error.filename else ""
        remedy = REMEDIES.get(error.errno or 0, "see to the file system and run again")
        sys.exit(f"{command}: {place}{error.strerror or error}; {remedy}")
    except MemoryError:
        sys.exit(f"{command}: not enough memory; give this job more and run again")
