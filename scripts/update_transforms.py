"""Write the table of keys that tagged nodes of a WCS must have, from the installed schemas.

Run it when the packages of schemas move on; a test tells when table and schemas differ.
"""

import argparse
import json
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("exp_to_source") / "index" / "transforms.json"

#: Tags of a WCS, and of what a tree says of the software that wrote it, begin so.
NAMESPACES = (
    "tag:stsci.edu:asdf/core/",
    "tag:stsci.edu:asdf/transform/",
    "tag:stsci.edu:asdf/unit/",
    "tag:stsci.edu:gwcs/",
)


def read_schemas() -> dict[str, list[str]]:
    """Find the keys that every node of a tag must have, whatever version of it.

    Returns
    -------
    dict
        Tag without its version to keys, for tags of which some are required.
    """
    import asdf
    from asdf.schema import load_schema

    manager = asdf.get_config().resource_manager
    found: dict[str, set[str]] = {}
    for extension in asdf.get_config().extensions:
        for tag in extension.tags:
            if tag.tag_uri.startswith(NAMESPACES):
                keys: set[str] = set()
                for uri in tag.schema_uris:
                    if uri in manager:
                        keys |= required(load_schema(uri, resolve_references=True))
                name = tag.tag_uri.rpartition("-")[0]
                found[name] = found.get(name, keys) & keys
    return {name: sorted(keys) for name, keys in sorted(found.items()) if keys}


def required(schema: dict[str, Any]) -> set[str]:
    """Keys that a schema requires, by itself or by all that it is composed of."""
    keys = set(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        keys |= required(part)
    return keys


def format_table(table: dict[str, list[str]]) -> str:
    """Lay the table out one tag a line, so that changes of it can be reviewed."""
    lines = [f" {json.dumps(name)}: {json.dumps(keys)}" for name, keys in table.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Read the command line, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=TABLE, help="by default the library's own")
    arguments = parser.parse_args()
    arguments.output.write_text(format_table(read_schemas()), encoding="utf-8")


if __name__ == "__main__":
    main()
