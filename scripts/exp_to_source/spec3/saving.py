"""Data models are saved as files that are either absent or complete."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..files import fsync, temporary_beside


@contextmanager
def output_folder(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Give a temporary folder, whose files of these names get into another once all are there."""
    temporary = Path(temporary_beside(folder / names[0]))
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for name in names:
            fsync(temporary / name)
            (temporary / name).replace(folder / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def save_model(model: Any, path: Path) -> None:
    """Save a data model, which notes the name of its file."""
    with output_folder(path.parent, [path.name]) as folder:
        model.save(folder / path.name)
