"""Saving of data models."""

import shutil
from pathlib import Path
from typing import Any

from ..files import fsync, temporary_beside


def save_whole(model: Any, path: Path) -> None:
    """Save a model under its name: absent or whole.

    Parameters
    ----------
    model : JwstDataModel
        The model, which notes the name of its file.
    path : Path
        The file.
    """
    temporary = Path(temporary_beside(path))
    temporary.mkdir(parents=True)
    try:
        model.save(temporary / path.name)
        fsync(temporary / path.name)
        (temporary / path.name).replace(path)
    finally:
        shutil.rmtree(temporary)
