"""Small parts of an ASDF tree, held as nodes: what the exposure and its slits say of themselves.

Scalars keep their YAML text, so that writing a node gives back the numbers that were read.
"""

import re
from dataclasses import dataclass, field
from functools import cache

import yaml

from ..formats.fragments import quoted
from ..formats.standards import marked

#: A node whose text is longer than this is an alias bomb: that of real ones is below a megabyte.
MAX_SIZE = 10_000_000


def beyond_all_bounds() -> ValueError:
    """Tell of an alias bomb."""
    return ValueError("its ASDF tree grows beyond all bounds through its aliases")


Value = str | int | float | bool | None

#: What ends a plain scalar within brackets, though not in the lines of a block.
_ENDS_PLAIN = re.compile(r"[,\[\]{}?\n\x85\u2028\u2029]|^:|:$")


@dataclass(slots=True)
class Leaf:
    """A scalar: its text, its tag where it has an explicit one, whether it was written plain."""

    text: str
    tag: str | None = None
    plain: bool = True

    @property
    def size(self) -> int:
        """Length of its YAML, about."""
        return 2 + len(self.text) + len(self.tag or "")

    def render(self) -> str:
        """Give the scalar as YAML in one line."""
        text = self.text
        if not self.plain or _ENDS_PLAIN.search(text):
            text = quoted(text)
        elif not text and not self.tag:
            text = "null"
        return f"!<{marked(self.tag)}> {text}" if self.tag else text

    def value(self) -> Value:
        """Give the value by the rules of YAML 1.1, as asdf applies them."""
        return _plain_value(self.text) if self.plain else self.text


@dataclass(slots=True)
class Branch:
    """A mapping (keys as YAML text) or a sequence, with its tag where it has one."""

    parts: "dict[str, Node] | list[Node]" = field(default_factory=dict)
    tag: str | None = None
    size: int = 2

    def __post_init__(self) -> None:
        """Add up the parts, those of aliased nodes as often as they are used."""
        self.size += len(self.tag or "")
        if isinstance(self.parts, dict):
            self.size += sum(len(key) + part.size for key, part in self.parts.items())
        else:
            self.size += sum(part.size for part in self.parts)
        if self.size > MAX_SIZE:
            raise beyond_all_bounds()

    def render(self) -> str:
        """Give the collection as YAML in one line, which fits any place of a document."""
        lead = f"!<{marked(self.tag)}> " if self.tag else ""
        if isinstance(self.parts, dict):
            pairs = (f"{key}: {part.render()}" for key, part in self.parts.items())
            return f"{lead}{{{', '.join(pairs)}}}"
        return f"{lead}[{', '.join(part.render() for part in self.parts)}]"


Node = Leaf | Branch


@cache
def _plain_value(text: str) -> Value:
    """Value of a plain scalar: number, boolean or null where it looks like one."""
    resolver, constructor = yaml.resolver.Resolver(), yaml.constructor.SafeConstructor()
    node = yaml.ScalarNode(resolver.resolve(yaml.ScalarNode, text, (True, False)), text)
    if node.tag.rpartition(":")[2] not in ("int", "float", "bool", "null"):
        return text
    try:
        value: Value = constructor.construct_object(node)
    except (ValueError, OverflowError):
        raise ValueError(f"its ASDF tree has a number that is none ({text[:40]})") from None
    return value


def mapping(node: Node | None) -> dict[str, Node]:
    """Parts of a mapping, none where the node is something else."""
    if isinstance(node, Branch) and isinstance(node.parts, dict):
        return node.parts
    return {}


def at(node: Node | None, path: str) -> Node | None:
    """Node at a dotted path below a node, None where there is none."""
    for key in _keys(path):
        if not isinstance(node, Branch) or not isinstance(node.parts, dict):
            return None
        node = node.parts.get(key)
    return node


@cache
def _keys(path: str) -> list[str]:
    """Keys of a dotted path; a few hundred paths are asked for of each slit."""
    return path.split(".")


def value_at(node: Node | None, path: str) -> Value:
    """Value of the scalar at a dotted path below a node, None where there is none."""
    leaf = at(node, path)
    return leaf.value() if isinstance(leaf, Leaf) else None


def leaves(node: Node) -> dict[str, Leaf]:
    """Leaves reached through mappings only, by dotted path, in no order; nulls left out."""
    found: dict[str, Leaf] = {}
    todo = [("", node)]
    while todo:
        path, node = todo.pop()
        for key, part in mapping(node).items():
            if isinstance(part, Branch):
                todo.append((f"{path}{key}.", part))
            elif part.value() is not None:
                found[path + key] = part
    return found


def nest(paths: dict[str, Leaf]) -> Branch:
    """Build a mapping from dotted paths and their leaves."""
    tops: dict[str, dict[str, Leaf]] = {}
    parts: dict[str, Node] = {}
    for path, leaf in paths.items():
        key, _, rest = path.partition(".")
        if rest:
            tops.setdefault(key, {})[rest] = leaf
        else:
            parts[key] = leaf
    parts |= {key: nest(rest) for key, rest in tops.items()}
    return Branch(parts)


def merge(under: Node, over: Node) -> Node:
    """Lay a node over another: mappings key by key, anything else replaced."""
    if not (_is_mapping(under) and _is_mapping(over)):
        return over
    parts = dict(mapping(under))
    for key, part in mapping(over).items():
        parts[key] = merge(parts[key], part) if key in parts else part
    return Branch(parts, under.tag)


def adds(under: Node, over: Node) -> bool:
    """Whether anything of a node but nulls is still seen when another is laid over it."""
    if not (_is_mapping(under) and _is_mapping(over)):
        return False
    covering = mapping(over)
    return any(
        adds(part, covering[key])
        if key in covering
        else not (isinstance(part, Leaf) and part.value() is None)
        for key, part in mapping(under).items()
    )


def _is_mapping(node: Node) -> bool:
    return isinstance(node, Branch) and isinstance(node.parts, dict)
