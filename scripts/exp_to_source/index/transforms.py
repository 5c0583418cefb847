"""Keys that readers require in the parts of a WCS, by tag.

``update_transforms.py`` makes the table from the installed schemas, so that a broken transform is
found without loading a schema or building transforms.
"""

import json
from functools import cache
from pathlib import Path

NOTHING: frozenset[str] = frozenset()


@cache
def _table() -> dict[str, frozenset[str]]:
    text = Path(__file__).with_name("transforms.json").read_text(encoding="utf-8")
    return {name: frozenset(keys) for name, keys in json.loads(text).items()}


def required_keys(tag: str) -> frozenset[str]:
    """Keys that a node of a tag must have; none if the tag is not known."""
    return _table().get(tag.rpartition("-")[0], NOTHING)
