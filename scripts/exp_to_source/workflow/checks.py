"""Checks of the folder of a run, before Snakemake would fail with a traceback."""

import errno
import glob
import json
import os
from contextlib import suppress
from itertools import chain
from typing import Any

import yaml

from ..errors import InputError
from ..files import names_in
from ..results import INDICES, SUMMARY


def advice_on_exposures(results: str) -> str:
    """Return what to do if no exposures are given: with the settings of the last run, if any."""
    path = os.path.abspath("config/config.yaml")
    values = _last_settings(results)
    if not values:
        # Snakemake makes the folder.
        is_new = not names_in(".") - {".snakemake"}
        return (
            "set 'exposures' or 'associations', for example with "
            f"--config exposures='/data/jw*_cal.fits', or in {path}"
            + (f"; {os.getcwd()} is empty: is --directory right?" if is_new else "")
        )
    lines = yaml.safe_dump(values, width=10**6, sort_keys=False, allow_unicode=True)
    return (
        f"the last run in {os.getcwd()} had the settings below; to keep them for all commands "
        f"there, write them into {path}\n{lines.rstrip()}"
    )


def _last_settings(results: str) -> dict[str, Any]:
    """Return the settings of the last run that were not defaults; none if it had no exposures."""
    try:
        with open(os.path.join(results, SUMMARY), encoding="utf-8") as file:
            settings: dict[str, Any] = json.load(file)["settings"]
        return settings if settings.keys() & {"exposures", "associations", "demo"} else {}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def check_storage(results: str) -> None:
    """Check that results are in a file system: they refer to bytes of the exposures."""
    if results.startswith(".snakemake/storage/"):
        raise InputError(
            "--default-storage-provider is not supported: results belong in a file system that "
            "all jobs share; leave it out (see docs/module.md)"
        )


def check_results(results: str) -> None:
    """Check that results can be read and changed, for which Snakemake would fail with a traceback.

    Only of the first level: each run writes there, and the umask of another user's run is that of
    all files that it wrote.
    """
    logs = os.path.join(os.path.dirname(results), "logs")
    indices = f"{results}/{INDICES}"
    for folder in (results, indices, logs, ".snakemake"):
        if os.path.lexists(folder) and not os.path.isdir(folder):
            raise InputError(f"{folder}: is not a folder; move it away")
    for folder in (results, indices):
        if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
    own = ".snakemake" if os.path.isdir(".snakemake") else "."
    read_only = os.statvfs(own).f_flag & os.ST_RDONLY
    entries = (glob.iglob(f"{glob.escape(folder)}/*") for folder in (results, logs))
    for path in () if read_only else (own, results, logs, *chain(*entries)):
        # Another run may just have removed it.
        with suppress(FileNotFoundError):
            is_closed = not (os.access(path, os.W_OK) or os.path.islink(path))
            if is_closed and os.stat(path).st_uid != os.geteuid():
                raise InputError(
                    f"{os.path.abspath(path)}: belongs to another user, and you may not change it; "
                    f"have its owner run 'chmod -R g+w {os.getcwd()}', and set 'umask 002' before "
                    "runs there, or choose another working directory"
                )
    if not os.access(own, os.W_OK):
        why = errno.EROFS if read_only else errno.EACCES
        raise PermissionError(why, os.strerror(why), os.path.abspath(own))
