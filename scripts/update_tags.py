"""Write the table of tags that the newest ASDF standard knows, from the installed libraries.

Run it after an update of asdf, gwcs or stdatamodels. A test fails if the table differs.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

from exp_to_source.formats.standards import STANDARDS

TABLE = Path(__file__).with_name("exp_to_source") / "formats" / "tags.json"


def read_tags(standard: str) -> set[str]:
    """Tags that the installed libraries turn into objects under a standard."""
    from asdf import AsdfFile, get_config
    from asdf.util import uri_match
    from stdatamodels.jwst.transforms.converters.jwst_models import UnsupportedConverter

    manager = AsdfFile(version=standard).extension_manager
    unsupported = UnsupportedConverter().tags
    return {
        tag
        for extension in get_config().extensions
        for definition in extension.tags
        if manager.handles_tag(tag := definition.tag_uri)
        and not any(uri_match(pattern, tag) for pattern in unsupported)
    }


def format_table(tags: Iterable[str]) -> str:
    """Format the table with one name and its versions per line, so that changes can be reviewed."""
    table: dict[str, list[str]] = {}
    for tag in sorted(tags):
        name, _, version = tag.rpartition("-")
        table.setdefault(name, []).append(version)
    lines = (f" {json.dumps(name)}: {json.dumps(versions)}" for name, versions in table.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Read the command line, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=TABLE, help="by default the library's own")
    arguments = parser.parse_args()
    arguments.output.write_text(format_table(read_tags(STANDARDS[-1])), encoding="utf-8")


if __name__ == "__main__":
    main()
