"""Keys that readers require in the nodes of a WCS, by tag.

``update_transforms.py`` writes the table from the installed schemas, so that a broken transform is
detected without loading a schema or building transforms.
"""

import json
from functools import cache
from pathlib import Path


@cache
def _table() -> dict[str, frozenset[str]]:
    text = Path(__file__).with_name("transforms.json").read_text(encoding="utf-8")
    return {name: frozenset(keys) for name, keys in json.loads(text).items()}


def required_keys(tag: str) -> frozenset[str]:
    """Return the keys that a node of a tag must have; none if the tag is not known."""
    return _table().get(tag.rpartition("-")[0], frozenset())
