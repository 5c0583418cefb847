"""Write the tables that the library has of schemas and tags, from the installed libraries.

Run it after an update of asdf, gwcs, stdatamodels or the packages of schemas. A test fails if the
tables differ from them.
"""

import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from exp_to_source.formats.standards import STANDARDS

LIBRARY = Path(__file__).with_name("exp_to_source")
KEYWORDS = LIBRARY / "index" / "keywords.json"
TRANSFORMS = LIBRARY / "index" / "transforms.json"
TAGS = LIBRARY / "formats" / "tags.json"

#: What the schema may say about a leaf: items of the table, and items that do not restrict values.
KNOWN = {"title", "description", "type", "enum", "anyOf", "fits_keyword", "fits_hdu"}
KNOWN |= {"default", "blend_rule", "blend_table"}

#: How tags of a WCS, and of the software that wrote a tree, begin.
NAMESPACES = (
    *(f"tag:stsci.edu:asdf/{name}/" for name in ("core", "transform", "unit")),
    "tag:stsci.edu:gwcs/",
)


def read_keywords() -> dict[str, Any]:
    """Flatten the schema of MultiExposureModel, in the order in which it is written to FITS.

    Returns
    -------
    dict
        ``pipeline``: version of the installed jwst package;
        ``sections``: titles that become comment cards; ``values``: lists of values, for leaves that
        allow no others; ``product`` and ``entry``: the leaves with a keyword, of the whole product
        and of one of its entries, each as [path, keyword, HDU, comment, numbers of the sections
        around it, type, number of the list of its values or null]; ``planes``: HDU name to
        key of the entry and datatype; ``types`` and ``entry_types``: path to type, of
        all nodes of a product's metadata and of an entry.

    Raises
    ------
    ValueError
        If the schema restricts a leaf in a way that `keywords.accepts` does not know.
    """
    from stdatamodels.jwst.datamodels import MultiExposureModel

    sections: list[str] = []
    leaves: list[list[Any]] = []
    values: list[list[Any]] = []
    planes: dict[str, list[str]] = {}
    types: dict[str, str] = {}

    def allowed(path: tuple[str, ...], schema: dict[str, Any]) -> int | None:
        if unknown := schema.keys() - KNOWN:
            raise ValueError(f"{'.'.join(path)}: the schema has {', '.join(sorted(unknown))}")
        parts = [schema] if "enum" in schema else schema.get("anyOf", [])
        if any(part.keys() != {"enum"} for part in schema.get("anyOf", [])):
            raise ValueError(f"{'.'.join(path)}: the schema has anyOf of more than enum")
        found = list(dict.fromkeys(value for part in parts for value in part["enum"]))
        if not found:
            return None
        if found not in values:
            values.append(found)
        return values.index(found)

    def walk(schema: dict[str, Any], path: tuple[str, ...], around: list[int]) -> None:
        if path and isinstance(schema.get("type"), str):
            types[".".join(path)] = schema["type"]
        if "properties" in schema and schema.get("title"):
            sections.append(schema["title"])
            around = [*around, len(sections) - 1]
        for name, value in schema.items():
            if name == "properties":
                for attribute, part in value.items():
                    walk(part, (*path, attribute), around)
            elif name == "items" and isinstance(value, dict):
                walk(value, (*path, "*"), around)
            elif name == "fits_keyword":
                hdu = schema.get("fits_hdu", "PRIMARY")
                comment = (schema.get("title") or schema.get("description") or "").split("\n")[0]
                bounds = [schema["type"], allowed(path, schema)]
                leaves.append([".".join(path), value, hdu, comment, around, *bounds])
            elif name == "datatype":
                planes[schema["fits_hdu"]] = [path[-1], value]

    walk(MultiExposureModel()._schema, (), [])
    prefix = "exposures.*."
    entries = [leaf for leaf in leaves if leaf[0].startswith(prefix)]
    entry_types = {path: kind for path, kind in types.items() if path.startswith(prefix)}
    return {
        "pipeline": version("jwst"),
        "sections": sections,
        "values": values,
        "product": [leaf for leaf in leaves if leaf not in entries],
        "entry": [[path.removeprefix(prefix), *fields] for path, *fields in entries],
        "planes": planes,
        "types": {path: kind for path, kind in types.items() if path.startswith("meta")},
        "entry_types": {path.removeprefix(prefix): kind for path, kind in entry_types.items()},
    }


def read_transforms() -> dict[str, list[str]]:
    """Find the keys that every node of a tag must have, in all versions of the tag, if any.

    Tags are without their versions.
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


def group_tags(tags: Iterable[str]) -> dict[str, list[str]]:
    """Group the versions of tags by name."""
    table: dict[str, list[str]] = {}
    for tag in sorted(tags):
        name, _, number = tag.rpartition("-")
        table.setdefault(name, []).append(number)
    return table


def format_table(table: dict[str, Any]) -> str:
    """Format a table with one key, or one leaf, per line, so that changes can be reviewed."""
    blocks = []
    for name, value in table.items():
        body = json.dumps(value)
        if isinstance(value, list) and "pipeline" in table:
            body = "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in value) + "\n ]"
        blocks.append(f" {json.dumps(name)}: {body}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def format_tables() -> dict[Path, str]:
    """Format all tables, by path."""
    tables = {
        KEYWORDS: read_keywords(),
        TRANSFORMS: read_transforms(),
        TAGS: group_tags(read_tags(STANDARDS[-1])),
    }
    return {path: format_table(table) for path, table in tables.items()}


if __name__ == "__main__":
    for path, text in format_tables().items():
        path.write_text(text, encoding="utf-8")
