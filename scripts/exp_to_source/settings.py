"""Settings and input files of a run, as `results/settings.json` has them for its jobs."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from .errors import InputError


@dataclass(frozen=True)
class Settings:
    """Settings of a run, with its files.

    Attributes
    ----------
    values : dict
        Every key of the schema; paths of tables without ``~``.
    exposures : dict of str
        Paths of the exposures by name, in order.
    associations : list of str
        Paths of the associations.
    """

    values: dict[str, Any]
    exposures: dict[str, str]
    associations: list[str]

    def to_json(self) -> str:
        """Return the settings as JSON, which `read_settings` reads."""
        return f"{json.dumps(asdict(self), indent=1, default=str)}\n"


def read_settings(path: str) -> Settings:
    """Read the settings of a run.

    Raises
    ------
    InputError
        If the file is not one that a run wrote.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return Settings(**json.load(file))
    except (ValueError, TypeError):
        raise InputError(f"{path}: not the settings of a run; delete it and run again") from None
