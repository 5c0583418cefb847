"""Write the table of keys that tagged nodes of a WCS must have, from the installed schemas.

Run it after an update of the packages of schemas. A test fails if table and schemas differ.
"""

import argparse
import json
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("exp_to_source") / "index" / "transforms.json"

#: How tags of a WCS, and of the software that wrote a tree, begin.
NAMESPACES = (
    "tag:stsci.edu:asdf/core/",
    "tag:stsci.edu:asdf/transform/",
    "tag:stsci.edu:asdf/unit/",
    "tag:stsci.edu:gwcs/",
)


def read_schemas() -> dict[str, list[str]]:
    """Find the keys that every node of a tag must have, in all versions of the tag.

    Returns
    -------
    dict
        Tag without its version to keys, for tags that require keys.
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
    """Find the keys that a schema requires, itself or in all schemas that it is composed of.

    A key with a default may be absent: asdf fills it in when it reads standards up to 1.5.0.
    """
    keys = {key for key in schema.get("required", ()) if not has_default(schema, key)}
    for part in schema.get("allOf", ()):
        keys |= required(part)
    return keys


def has_default(schema: dict[str, Any], key: str) -> bool:
    """Find out whether a schema has a default for a key, at any level."""
    parts = [part for part in schema.values() if isinstance(part, dict)]
    own = schema.get(key)
    return (isinstance(own, dict) and "default" in own) or any(has_default(p, key) for p in parts)


def format_table(table: dict[str, list[str]]) -> str:
    """Format the table with one tag per line, so that changes can be reviewed."""
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
