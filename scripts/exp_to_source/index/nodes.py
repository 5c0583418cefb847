"""Small parts of an ASDF tree, held as nodes: the metadata of the exposure and its slits.

Scalars keep their YAML text, so that rendering a node reproduces the numbers that were read.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from ..formats.cards import Value
from ..formats.standards import mark_renamed_tag
from ..formats.template import ENTRY_PLACEHOLDER, Replacement, quote

#: Text that aliases may add to a document, or to a slit; more is a bomb: real ones add less than a
#: megabyte.
MAX_SIZE = 10_000_000

#: Characters that end a plain scalar in flow style, but not in block style.
_ENDS_PLAIN = re.compile(r"[,\[\]{}?\n\x85\u2028\u2029]|^:|:$")

#: Text that may be plain anywhere.
_WORD = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def alias_bomb_error() -> ValueError:
    """Return the error about a tree that is huge once its aliases are resolved."""
    return ValueError("its ASDF tree grows beyond all bounds through its aliases")


@dataclass(slots=True)
class Scalar:
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
class Collection:
    """A mapping (keys as YAML text) or a sequence, with its tag if it has one."""

    content: "dict[str, Node] | list[Node]" = field(default_factory=dict)
    tag: str | None = None
    #: Approximate length of its YAML, aliased nodes counted as often as they are used.
    size: int = 2

    def __post_init__(self) -> None:
        self.size += len(self.tag or "")
        if isinstance(self.content, dict):
            self.size += sum(len(key) + node.size for key, node in self.content.items())
        else:
            self.size += sum(node.size for node in self.content)

    def render(self) -> str:
        """Return the collection as YAML in one line, valid anywhere in a document."""
        lead = f"!<{mark_renamed_tag(self.tag)}> " if self.tag else ""
        if isinstance(self.content, dict):
            pairs = (f"{key}: {node.render()}" for key, node in self.content.items())
            return f"{lead}{{{', '.join(pairs)}}}"
        return f"{lead}[{', '.join(node.render() for node in self.content)}]"


Node = Scalar | Collection


@cache
def _plain_value(text: str) -> Value:
    """Convert a plain scalar: a number, boolean or null if it looks like one."""
    resolver, constructor = yaml.resolver.Resolver(), yaml.constructor.SafeConstructor()
    node = yaml.ScalarNode(resolver.resolve(yaml.ScalarNode, text, (True, False)), text)
    if node.tag.rpartition(":")[2] not in ("int", "float", "bool", "null"):
        return text
    try:
        value: Value = constructor.construct_object(node)
    except (ValueError, OverflowError):
        raise ValueError(f"its ASDF tree has an invalid number ({text[:40]})") from None
    return value


def mapping(node: Node | None) -> dict[str, Node]:
    """Return the content of a mapping; empty if the node is something else."""
    if isinstance(node, Collection) and isinstance(node.content, dict):
        return node.content
    return {}


def at(node: Node | None, path: str) -> Node | None:
    """Return the node at a dotted path below a node, or None."""
    for key in _split(path):
        if not isinstance(node, Collection) or not isinstance(node.content, dict):
            return None
        node = node.content.get(key)
    return node


@cache
def _split(path: str) -> list[str]:
    """Split a dotted path; cached, as each slit needs a few hundred paths."""
    return path.split(".")


def value_at(node: Node | None, path: str) -> Value:
    """Return the value of the scalar at a dotted path below a node, or None."""
    scalar = at(node, path)
    return scalar.value() if isinstance(scalar, Scalar) else None


def flatten(node: Node) -> dict[str, Scalar]:
    """Return scalars reached through mappings only, by dotted path, in no order, without nulls."""
    scalars: dict[str, Scalar] = {}
    todo = [("", node)]
    while todo:
        prefix, node = todo.pop()
        for key, child in mapping(node).items():
            if isinstance(child, Collection):
                todo.append((f"{prefix}{key}.", child))
            elif child.value() is not None:
                scalars[prefix + key] = child
    return scalars


def nest(scalars: dict[str, Scalar]) -> Collection:
    """Build a mapping from scalars by dotted path, the reverse of `flatten`; scalars come first."""
    content: dict[str, Node] = {}
    nested: dict[str, dict[str, Scalar]] = {}
    for path, scalar in scalars.items():
        key, _, rest = path.partition(".")
        if rest:
            nested.setdefault(key, {})[rest] = scalar
        else:
            content[key] = scalar
    return Collection(content | {key: nest(below) for key, below in nested.items()})


def merge(base: Node, override: Node) -> Node:
    """Merge a node over another: mappings key by key, anything else is replaced."""
    if not (_is_mapping(base) and _is_mapping(override)):
        return override
    content = dict(mapping(base))
    for key, node in mapping(override).items():
        content[key] = merge(content[key], node) if key in content else node
    return Collection(content, base.tag)


def has_extra_keys(base: Node, override: Node) -> bool:
    """Check whether anything of `base` but nulls is left when `override` is merged over it."""
    if not (_is_mapping(base) and _is_mapping(override)):
        return False
    covering = mapping(override)
    return any(
        has_extra_keys(node, covering[key])
        if key in covering
        else not (isinstance(node, Scalar) and node.value() is None)
        for key, node in mapping(base).items()
    )


def _is_mapping(node: Node | None) -> bool:
    return isinstance(node, Collection) and isinstance(node.content, dict)


@dataclass(slots=True)
class Array:
    """An array in an HDU: ``source: fits:NAME,version``."""

    name: str
    version: int
    key: str  #: of the slit that has it
    content: dict[str, Node] = field(default_factory=dict)  #: its description in the tree

    @property
    def shape(self) -> tuple[Any, ...] | None:
        """Its shape; None if that is not a list."""
        shape = self.content["shape"]
        if not isinstance(shape, Collection) or not isinstance(shape.content, list):
            return None
        return tuple(item.value() if isinstance(item, Scalar) else None for item in shape.content)

    def text(self, key: str) -> str:
        """Return the text of a scalar; empty if it is a collection."""
        node = self.content[key]
        return node.text if isinstance(node, Scalar) else ""


@dataclass(slots=True)
class SlitTree:
    """One slit of the tree."""

    start: int  #: of its text within the document, in characters
    #: Internal blocks that it uses: first the exposure's, then its own, in the order of its marks.
    blocks: list[int]
    number: int  #: in the exposure, from 1
    end: int = 0
    #: Replacements that make a fragment of its text; offsets count from `start`.
    replacements: list[Replacement] = field(default_factory=list)
    arrays: list[Array] = field(default_factory=list)  #: those in HDUs, in the order of the text
    node: Collection = field(default_factory=Collection)  #: its content, without the WCS
    #: Keys of the exposure's metadata that the slit replaces by a merged version of its own.
    overrides: list[str] = field(default_factory=list)
    key: str = ""  #: that is being read
    #: Anchors that it defines or has written out, and their names in products.
    anchors: dict[str, str] = field(default_factory=dict)

    def replace(self, offset: int, length: int, text: str) -> None:
        """Record that a part of the document is replaced in the fragment.

        Adjacent parts that are removed are one.
        """
        offset -= self.start
        if self.replacements and length and not text:
            start, size, new = self.replacements[-1]
            if size and not new and start + size == offset:
                self.replacements[-1] = start, size + length, ""
                return
        self.replacements.append((offset, length, text))

    def rename_anchor(self, anchor: str) -> str:
        """Give an anchor a name that depends only on this slit and its entry's number."""
        return self.anchors.setdefault(anchor, f"s{ENTRY_PLACEHOLDER}_{len(self.anchors) + 1}")
