"""Tags of the ASDF tree that the newest standard knows."""

import json
import os
from functools import cache


@cache
def known_tags() -> set[str]:
    """Tags of the newest standard, as ``update_tags.py`` found them."""
    with open(os.path.join(os.path.dirname(__file__), "tags.json"), encoding="utf-8") as file:
        table = json.load(file)
    return {f"{name}-{version}" for name, versions in table.items() for version in versions}
