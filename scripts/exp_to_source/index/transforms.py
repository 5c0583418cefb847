"""What the parts of a WCS must have for any reader to make them: keys, by tag.

The table is made from the installed schemas by ``update_transforms.py``, so that none has to be
loaded, and no transform built, to find that one cannot be.
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
    """Keys that a node of a tag must have; none where the tag is not known."""
    return _table().get(tag.rpartition("-")[0], NOTHING)
