"""Values of a tree that the schema of the data models does not accept.

stdatamodels drops some of them, refuses others, and keeps some. `normalise` handles values of
headers.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

import yaml

from ..formats.cards import Value
from .exposure import Exposure
from .headers import states
from .keywords import TYPES, is_of_type, table
from .nodes import Branch, Leaf, Node, value_at
from .reader import NDARRAY
from .records import IDENTITY

#: Recognises values that YAML reads as times, which no schema has.
_RESOLVER = yaml.resolver.Resolver()

#: Values by path; None if the node is not a scalar.
Misfits = dict[str, Value]


def find_misfits(exposure: Exposure) -> Misfits:
    """Collect the values of a tree whose types are not those of the schema.

    Parameters
    ----------
    exposure : Exposure
        The exposure.

    Returns
    -------
    dict
        Path to value; one value if several slits have the path.
    """
    found: Misfits = {}
    known = table()
    found.update(_misfits(exposure.tree.meta, "meta", known.types))
    for slit in exposure.tree.slits:
        found.update(_misfits(slit.node, "", known.entry_types))
    return found


def _misfits(node: Node, path: str, types: Mapping[str, str]) -> Misfits:
    found: Misfits = {}
    todo = [(path, node)]
    while todo:
        path, node = todo.pop()
        wanted = types.get(path)
        if isinstance(node, Leaf):
            if not _fits(node.text, node.plain, wanted):
                found[path] = node.value()
        elif wanted and wanted != ("object" if isinstance(node.parts, dict) else "array"):
            found[path] = None
        elif isinstance(node.parts, dict) and path != "meta.wcs" and not _is_array(node):
            todo += ((f"{path}.{key}" if path else key, part) for key, part in node.parts.items())
    return found


def _is_array(node: Branch) -> bool:
    """Whether a node describes an array."""
    return node.tag is not None and node.tag.startswith(NDARRAY)


@lru_cache(maxsize=1 << 14)
def _fits(text: str, plain: bool, wanted: str | None) -> bool:
    """Whether the schema's type accepts a scalar; cached, as many recur."""
    if plain and _RESOLVER.resolve(yaml.ScalarNode, text, (True, False)).endswith("timestamp"):
        return False
    if wanted in TYPES:
        return is_of_type(wanted, Leaf(text, plain=plain).value())
    return not wanted


def find_contradictions(exposure: Exposure) -> Iterator[str]:
    """Find values of PRIMARY that differ from the tree, which is used."""
    header, paths = exposure.hdus[0].header, set(IDENTITY.values())
    for word in table().product:
        path = word.path.removeprefix("meta.")
        if word.hdu != "PRIMARY" or path not in paths:
            continue
        stated, value = header.get(word.name), value_at(exposure.tree.meta, path)
        if stated is not None and not states(header.image(word.name), value):
            other = "none" if value is None else f"{value!r:.40}"
            yield f"PRIMARY has {word.name} = {stated!r:.40}, the ASDF tree {other}, which counts"
