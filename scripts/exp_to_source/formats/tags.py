"""Tags of ASDF trees under the newest standard."""

import json
import os
from collections.abc import Iterable
from functools import cache

from .standards import RENAMED_TAGS

#: Prefixes of tags that stdatamodels has dropped, and its last version that read them
#: (``tag_to_max_version`` of its ``UnsupportedConverter``).
DROPPED_TAGS = ("tag:stsci.edu:jwst_pipeline/v23tosky-",)
LAST_READ = "4.1.0"


@cache
def known_tags() -> set[str]:
    """Read the tags of the newest standard, as written by ``update_tables.py``."""
    with open(os.path.join(os.path.dirname(__file__), "tags.json"), encoding="utf-8") as file:
        table = json.load(file)
    return {f"{name}-{version}" for name, versions in table.items() for version in versions}


def unknown_tags(tags: Iterable[str]) -> set[str]:
    """Find tags that the newest standard neither knows nor has under another name."""
    return set(tags) - known_tags() - RENAMED_TAGS


def dropped_tags(tags: Iterable[str]) -> list[str]:
    """Find tags that stdatamodels has dropped: it opens no file with one of them."""
    return sorted(tag for tag in tags if tag.startswith(DROPPED_TAGS))
