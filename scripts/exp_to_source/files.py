"""Files that are either absent or complete."""

from __future__ import annotations

import os
import time

from . import TYPE_CHECKING
from .errors import InputError

if TYPE_CHECKING:
    from io import FileIO

#: Ending of the names of temporary files.
TEMPORARY = ".part"


def temporary_beside(path: str | os.PathLike[str]) -> str:
    """Name a temporary file or folder beside a target, which no other process uses."""
    folder, name = os.path.split(os.fspath(path))
    return os.path.join(folder, f".{name}.{os.urandom(4).hex()}{TEMPORARY}")


class atomic_write:  # noqa: N801, used as a function; contextlib takes a tenth of a gather
    """Open a file for writing that gets its name only when it is complete and on disk.

    Entering makes the folder if need be, and returns a temporary file beside the target, not
    buffered; it is renamed on success, removed on failure. No two processes ever share one: a job
    whose Snakemake was killed continues, and may write while the next run makes the same file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.temporary = temporary_beside(path)

    def __enter__(self) -> FileIO:
        if folder := os.path.dirname(self.path):
            os.makedirs(folder, exist_ok=True)
        try:
            self.file = open(self.temporary, "wb", buffering=0)
        except BaseException as error:
            self._discard(error)
            raise
        return self.file

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            with self.file:
                if error is None:
                    os.fsync(self.file.fileno())
            if error is None:
                os.replace(self.temporary, self.path)
            else:
                self._discard(error)
        except BaseException as late:
            self._discard(late)
            raise

    def _discard(self, error: BaseException) -> None:
        """Remove the temporary file after an error, which has to name the target."""
        try:
            os.unlink(self.temporary)
        except OSError:
            pass
        if isinstance(error, OSError) and error.filename in (None, self.temporary):
            # The error of a failed write names no file; others name the temporary file.
            error.filename = self.path


def fsync(path: str | os.PathLike[str]) -> None:
    """Flush a file that a library wrote to disk, before it gets its final name."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def write_all(file: FileIO, data: bytes | memoryview) -> None:
    """Write every byte of `data` to an unbuffered file, which may take them in several parts."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def write_file(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file, which is absent or complete (see `atomic_write`)."""
    with atomic_write(path) as file:
        write_all(file, content)


def has_content(path: str | os.PathLike[str], content: bytes) -> bool:
    """Compare a file with this content; False if it does not exist."""
    try:
        with open(path, "rb") as file:
            return file.read() == content
    except FileNotFoundError:
        return False


def names_in(folder: str) -> set[str]:
    """List the names of the files in a folder; none if it does not exist."""
    return set(os.listdir(folder)) if os.path.isdir(folder) else set()


def check_writable(folder: str) -> None:
    """Write a file to a folder, so that an error comes before the first job."""
    probe = temporary_beside(os.path.join(folder, "probe"))
    os.makedirs(folder, exist_ok=True)
    try:
        with open(probe, "wb", buffering=0) as file:
            write_all(file, bytes(4096))
    except OSError as error:
        error.filename = folder
        raise
    finally:
        if os.path.exists(probe):
            os.unlink(probe)


def remove_temporary_files(folder: str) -> None:
    """Remove the temporary files and folders that killed processes left in a folder and below it.

    If a process still writes one of them, that process fails in the end, and nothing else happens.
    """
    # Imported where they are needed: gather starts with this module.
    import re
    from shutil import rmtree

    # Of this workflow only: a workflow that uses this one has others.
    temporary = re.compile(rf"\..+\.[0-9a-f]{{8}}{re.escape(TEMPORARY)}")
    for parent, folders, names in os.walk(folder):
        for name in filter(temporary.fullmatch, folders):
            rmtree(os.path.join(parent, name), ignore_errors=True)
        for name in filter(temporary.fullmatch, names):
            try:
                os.unlink(os.path.join(parent, name))
            except FileNotFoundError:
                # Its process outlived its run, and has just finished.
                pass


def file_state(path: str | os.PathLike[str]) -> tuple[int, int, int] | None:
    """Inode (replaced files have another), size and time of a file; None if it does not exist."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def size_and_mtime(exposure: str | int) -> dict[str, int]:
    """Size and time of an exposure (path or descriptor); whole seconds, as on some file systems."""
    status = os.stat(exposure)
    return {"size": status.st_size, "modified": status.st_mtime_ns // 10**9}


def date_now() -> str:
    """Format the time of writing (UTC, ISO 8601, milliseconds), or that of SOURCE_DATE_EPOCH."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        now = float(epoch or time.time())
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}"
    except (ValueError, OverflowError, OSError):
        raise InputError(
            f"SOURCE_DATE_EPOCH is {epoch!r:.40}, not a time in seconds; unset it, or correct it"
        ) from None
