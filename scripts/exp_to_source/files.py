"""Files that are either absent or whole."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

#: How names of temporary files end.
TEMPORARY = ".part"
#: Names of ours alone: in the results of a workflow that uses this one are files of others.
_LEFTOVER = re.compile(rf"\..+\.[0-9a-f]{{8}}{re.escape(TEMPORARY)}")


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only once it is complete and on disk.

    The temporary file is beside the target. No two processes ever share one: a job whose
    Snakemake was killed goes on, and may still write while the next run makes the same file.

    Parameters
    ----------
    path : path-like
        The final name; its folder is made where missing.

    Yields
    ------
    binary file
        The temporary file, unbuffered, renamed to `path` on success, removed on failure.
    """
    folder, name = os.path.split(os.fspath(path))
    if folder:
        os.makedirs(folder, exist_ok=True)
    temporary = os.path.join(folder, f".{name}.{os.urandom(4).hex()}{TEMPORARY}")
    try:
        with open(temporary, "wb", buffering=0) as file:
            yield file
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        if isinstance(error, OSError) and error.filename in (None, temporary):
            # A failed write does not say where, others name the temporary file.
            error.filename = os.fspath(path)
        raise


def write_all(file: BinaryIO, data: bytes | memoryview) -> None:
    """Write every byte of `data` to an unbuffered file, which may take them in several parts."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def write_if_changed(path: str | os.PathLike[str], content: bytes) -> bool:
    """Give a file this content, and leave it alone (and its modification time) where it has it.

    Returns
    -------
    bool
        Whether the file was written.
    """
    try:
        with open(path, "rb") as file:
            if file.read() == content:
                return False
    except FileNotFoundError:
        pass
    with replacing(path) as file:
        write_all(file, content)
    return True


def date_now_if_ahead(path: str | os.PathLike[str]) -> None:
    """Date a file now that is dated in the future, so that what is made of it is not older."""
    if os.stat(path).st_mtime > time.time():
        os.utime(path)


def remove_leftovers(folder: str) -> None:
    """Remove the temporary files that killed processes left in a folder and those below it.

    One that is still being written may be among them: then its process fails in the end, and
    nothing else happens.
    """
    for place, _, names in os.walk(folder):
        for name in names:
            if _LEFTOVER.fullmatch(name):
                os.unlink(os.path.join(place, name))


def file_state(path: str | os.PathLike[str]) -> tuple[int, int, int] | None:
    """Return what tells one state of a file from the next, None where there is no file.

    Inode, size and time: what is replaced gets another inode, so coarse times do no harm.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
