"""Values of a tree that the schema of the data models does not accept.

stdatamodels drops some of them, refuses others, and keeps some. `normalise` handles values of
headers.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

import yaml

from ..formats.cards import Value
from .exposure import Exposure
from .headers import card_has_value
from .keywords import TYPES, is_of_type, table
from .nodes import Collection, Node, Scalar, value_at
from .reader import NDARRAY
from .records import IDENTITY

#: Recognises values that YAML reads as times, which no schema has.
_RESOLVER = yaml.resolver.Resolver()

#: Values by path; None if the node is not a scalar.
Violations = dict[str, Value]


def find_schema_violations(exposure: Exposure) -> Violations:
    """Collect the values of a tree whose types are not those of the schema.

    There is one value if several slits have its path.
    """
    violations = _find_violations(exposure.tree.meta, "meta", table().types)
    for slit in exposure.tree.slits:
        violations |= _find_violations(slit.node, "", table().entry_types)
    return violations


def _find_violations(node: Node, path: str, types: Mapping[str, str]) -> Violations:
    violations: Violations = {}
    todo = [(path, node)]
    while todo:
        path, node = todo.pop()
        expected = types.get(path)
        if isinstance(node, Scalar):
            if not _is_valid(node.text, node.plain, expected):
                violations[path] = node.value()
        elif expected and expected != ("object" if isinstance(node.content, dict) else "array"):
            violations[path] = None
        elif isinstance(node.content, dict) and path != "meta.wcs" and not _is_array(node):
            prefix = f"{path}." if path else ""
            todo += ((prefix + key, value) for key, value in node.content.items())
    return violations


def _is_array(node: Collection) -> bool:
    return node.tag is not None and node.tag.startswith(NDARRAY)


@lru_cache(maxsize=1 << 14)
def _is_valid(text: str, plain: bool, expected: str | None) -> bool:
    """Check whether the schema's type accepts a scalar; cached, as many recur."""
    if plain and _RESOLVER.resolve(yaml.ScalarNode, text, (True, False)).endswith("timestamp"):
        return False
    if expected in TYPES:
        return is_of_type(expected, Scalar(text, plain=plain).value())
    return not expected


def header_tree_mismatches(exposure: Exposure) -> Iterator[str]:
    """Yield a sentence for each value of PRIMARY that differs from the tree, which is used."""
    header, paths = exposure.hdus[0].header, set(IDENTITY.values())
    for keyword in table().product:
        path = keyword.path.removeprefix("meta.")
        if keyword.hdu != "PRIMARY" or path not in paths:
            continue
        stated, value = header.get(keyword.name), value_at(exposure.tree.meta, path)
        if stated is None or card_has_value(header.cards(header.numbers[keyword.name]), value):
            continue
        other = "none" if value is None else f"{value!r:.40}"
        yield f"PRIMARY has {keyword.name} = {stated!r:.40}, the ASDF tree {other}, which counts"
