"""Write the table of keywords from the schemas of the installed stdatamodels.

Run it after an update of stdatamodels. A test fails if table and schemas differ.
"""

import argparse
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

#: What the schema may say about a leaf: items of the table, and items that do not restrict values.
KNOWN = {"title", "description", "type", "enum", "anyOf", "fits_keyword", "fits_hdu"}
KNOWN |= {"default", "blend_rule", "blend_table"}

TABLE = Path(__file__).with_name("exp_to_source") / "index" / "keywords.json"


def read_schemas() -> dict[str, Any]:
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
    return {
        "pipeline": version("jwst"),
        "sections": sections,
        "values": values,
        "product": [leaf for leaf in leaves if not leaf[0].startswith(prefix)],
        "entry": [
            [leaf[0].removeprefix(prefix), *leaf[1:]]
            for leaf in leaves
            if leaf[0].startswith(prefix)
        ],
        "planes": planes,
        "types": {path: kind for path, kind in types.items() if path.startswith("meta")},
        "entry_types": {
            path.removeprefix(prefix): kind
            for path, kind in types.items()
            if path.startswith(prefix)
        },
    }


def format_table(table: dict[str, Any]) -> str:
    """Format the table with one leaf per line, so that changes can be reviewed."""
    blocks = []
    for name, value in table.items():
        if isinstance(value, list):
            body = "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in value) + "\n ]"
        else:
            body = json.dumps(value)
        blocks.append(f" {json.dumps(name)}: {body}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def main() -> None:
    """Read the command line, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=TABLE, help="by default the library's own")
    arguments = parser.parse_args()
    arguments.output.write_text(format_table(read_schemas()), encoding="utf-8")


if __name__ == "__main__":
    main()
