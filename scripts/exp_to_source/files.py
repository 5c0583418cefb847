"""Files that are either absent or whole."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only once it is complete and on disk.

    The temporary name is beside the target and always the same, so that what a killed
    process left behind is overwritten by the next attempt and never accumulates.

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
    temporary = os.path.join(folder, f".{name}.part")
    try:
        with open(temporary, "wb", buffering=0) as file:
            yield file
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        try:
            os.unlink(temporary)
        except FileNotFoundError:
            pass
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
