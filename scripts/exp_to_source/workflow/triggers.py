"""Values for the params of rules: a job is rerun if one of them differs from that of its last run.

Snakemake compares times only with other times, so that clocks, copies and restored backups hide
changes; params are compared with what it recorded.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any


def digest(value: Any) -> str:
    """Return a digest of a value that JSON has."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_trigger(path: str) -> str:
    """Return path, size and time of a file of the user, which an older one may replace."""
    try:
        status = os.stat(path)
    except OSError:
        return path
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def rows_trigger(rows: Mapping[str, Mapping[str, str]]) -> str:
    """Return a digest of the names and contents of products, by their rows in the source list."""
    return digest([(name, row["digest"]) for name, row in rows.items()])


def batches(rows: Mapping[str, Mapping[str, str]], size: int) -> dict[str, list[str]]:
    """Divide products into batches of a size, each named by what is in it."""
    names = list(rows)
    parts = [names[first : first + size] for first in range(0, len(names), size)]
    return {rows_trigger({name: rows[name] for name in part}): part for part in parts}
