"""A slit in the tree: its text, the edits for a product, its arrays in HDUs."""

from dataclasses import dataclass, field
from typing import Any

from ..formats.template import ENTRY_PLACEHOLDER, Replacement
from .nodes import Branch, Leaf, Node


@dataclass(slots=True)
class Array:
    """An array in an HDU: ``source: fits:NAME,version``, and its description in the tree.

    Attributes
    ----------
    name, version : str, int
        The HDU.
    key : str
        The key of the slit that has it.
    parts : dict of Node
        The rest, by key.
    """

    name: str
    version: int
    key: str
    parts: dict[str, Node] = field(default_factory=dict)

    @property
    def keys(self) -> set[str]:
        """Keys of the node."""
        return set(self.parts)

    @property
    def shape(self) -> tuple[Any, ...] | None:
        """Its shape; None if that is not a list."""
        shape = self.parts["shape"]
        if not isinstance(shape, Branch) or not isinstance(shape.parts, list):
            return None
        return tuple(item.value() if isinstance(item, Leaf) else None for item in shape.parts)

    @property
    def datatype(self) -> str:
        """Its datatype; empty if that is not one that a plane can have."""
        return text_of(self.parts["datatype"])

    @property
    def byteorder(self) -> str:
        """Its byte order; empty if that is not valid."""
        return text_of(self.parts["byteorder"])


def text_of(node: Node) -> str:
    """Text of a leaf; empty if it is not a leaf."""
    return node.text if isinstance(node, Leaf) else ""


@dataclass(slots=True)
class Slit:
    """One slit of the tree.

    Attributes
    ----------
    start, end : int
        Its text within the document, in characters.
    edits : list of Replacement
        Edits that make a fragment of that text; offsets count from `start`.
    arrays : list of Array
        Arrays in HDUs, in the order of the text.
    blocks : list of int
        Internal blocks that it uses: first the exposure's, then its own, in the order of its marks.
    node : Branch
        Its content, without the WCS.
    own : list of str
        Keys of the exposure's metadata that the slit replaces by a merged version of its own.
    number : int
        Its number in the exposure, from 1.
    key : str
        The key that is being read.
    """

    start: int
    blocks: list[int]
    end: int = 0
    edits: list[Replacement] = field(default_factory=list)
    arrays: list[Array] = field(default_factory=list)
    node: Branch = field(default_factory=Branch)
    own: list[str] = field(default_factory=list)
    number: int = 0
    key: str = ""
    anchors: dict[str, str] = field(default_factory=dict)

    def edit(self, place: int, length: int, text: str) -> None:
        """Record that a part of the document is replaced in the fragment."""
        self.edits.append((place - self.start, length, text))

    def name_anchor(self, anchor: str) -> str:
        """Give an anchor a name that depends only on this slit and its entry's number."""
        return self.anchors.setdefault(anchor, f"s{ENTRY_PLACEHOLDER}_{len(self.anchors) + 1}")
