"""Settings and input files of a run, as `results/settings.json` has them for its jobs."""

import json
from typing import Any, NamedTuple

from .errors import InputError


class Settings(NamedTuple):
    """Settings of a run, with its files."""

    values: dict[str, Any]  #: every key of the schema; paths of tables without ``~``
    exposures: dict[str, str]  #: paths of the exposures by name, in order
    associations: list[str]  #: paths

    def to_json(self) -> str:
        """Return the settings as JSON, which `read_settings` reads."""
        return f"{json.dumps(self._asdict(), indent=1, default=str)}\n"


def read_settings(path: str) -> Settings:
    """Read the settings of a run; a file that no run wrote is an `InputError`."""
    try:
        with open(path, encoding="utf-8") as file:
            return Settings(**json.load(file))
    except (ValueError, TypeError):
        raise InputError(f"{path}: not the settings of a run; delete it and run again") from None
