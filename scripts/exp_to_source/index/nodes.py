"""Small parts of an ASDF tree, held as nodes: the metadata of the exposure and its slits.

Scalars keep their YAML text, so that writing a node reproduces the numbers that were read.
"""

import re
from dataclasses import dataclass, field
from functools import cache

import yaml

from ..formats.standards import mark_renamed_tag
from ..formats.template import quote

#: Text that aliases may add to a document, or to a slit; more is a bomb: real ones add less than a
#: megabyte.
MAX_SIZE = 10_000_000


def beyond_all_bounds() -> ValueError:
    """Return the error about an alias bomb."""
    return ValueError("its ASDF tree grows beyond all bounds through its aliases")


Value = str | int | float | bool | None

#: Characters that end a plain scalar in flow style, but not in block style.
_ENDS_PLAIN = re.compile(r"[,\[\]{}?\n\x85\u2028\u2029]|^:|:$")

#: Text that may be plain anywhere.
_WORD = re.compile("[A-Za-z_][A-Za-z0-9_]*")


@dataclass(slots=True)
class Leaf:
    """A scalar: its text, its explicit tag if any, and whether it was written plain."""

    text: str
    tag: str | None = None
    plain: bool = True

    @property
    def size(self) -> int:
        """Approximate length of its YAML."""
        return 2 + len(self.text) + len(self.tag or "")

    def render(self) -> str:
        """Return the scalar as YAML in one line."""
        text = self.text
        if not self.plain or _ENDS_PLAIN.search(text):
            text = quote(text)
        elif not text and not self.tag:
            text = "null"
        return f"!<{mark_renamed_tag(self.tag)}> {text}" if self.tag else text

    def as_key(self) -> str:
        """Return the scalar as the key of a mapping: without quotes if it needs none."""
        if self.plain or self.tag or not _WORD.fullmatch(self.text):
            return self.render()
        return self.text if isinstance(_plain_value(self.text), str) else self.render()

    def value(self) -> Value:
        """Return the value by the rules of YAML 1.1, as asdf applies them."""
        return _plain_value(self.text) if self.plain else self.text


@dataclass(slots=True)
class Branch:
    """A mapping (keys as YAML text) or a sequence, with its tag if it has one."""

    parts: "dict[str, Node] | list[Node]" = field(default_factory=dict)
    tag: str | None = None
    size: int = 2

    def __post_init__(self) -> None:
        """Add up the sizes of the parts, aliased nodes as often as they are used."""
        self.size += len(self.tag or "")
        if isinstance(self.parts, dict):
            self.size += sum(len(key) + part.size for key, part in self.parts.items())
        else:
            self.size += sum(part.size for part in self.parts)

    def render(self) -> str:
        """Return the collection as YAML in one line, valid anywhere in a document."""
        lead = f"!<{mark_renamed_tag(self.tag)}> " if self.tag else ""
        if isinstance(self.parts, dict):
            pairs = (f"{key}: {part.render()}" for key, part in self.parts.items())
            return f"{lead}{{{', '.join(pairs)}}}"
        return f"{lead}[{', '.join(part.render() for part in self.parts)}]"


Node = Leaf | Branch


@cache
def _plain_value(text: str) -> Value:
    """Value of a plain scalar: a number, boolean or null if it looks like one."""
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
    """Parts of a mapping; none if the node is something else."""
    if isinstance(node, Branch) and isinstance(node.parts, dict):
        return node.parts
    return {}


def at(node: Node | None, path: str) -> Node | None:
    """Node at a dotted path below a node, or None."""
    for key in _keys(path):
        if not isinstance(node, Branch) or not isinstance(node.parts, dict):
            return None
        node = node.parts.get(key)
    return node


@cache
def _keys(path: str) -> list[str]:
    """Keys of a dotted path; cached, as each slit needs a few hundred paths."""
    return path.split(".")


def value_at(node: Node | None, path: str) -> Value:
    """Value of the scalar at a dotted path below a node, or None."""
    leaf = at(node, path)
    return leaf.value() if isinstance(leaf, Leaf) else None


def leaves(node: Node) -> dict[str, Leaf]:
    """Leaves reached through mappings only, by dotted path, in no order and without nulls."""
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
    """Merge a node over another: mappings key by key, anything else is replaced."""
    if not (_is_mapping(under) and _is_mapping(over)):
        return over
    parts = dict(mapping(under))
    for key, part in mapping(over).items():
        parts[key] = merge(parts[key], part) if key in parts else part
    return Branch(parts, under.tag)


def adds(under: Node, over: Node) -> bool:
    """Whether anything of a node but nulls is left when another is merged over it."""
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
