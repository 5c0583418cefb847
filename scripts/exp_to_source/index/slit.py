"""What the tree says of a slit: its text, what has to differ in a product, its arrays in HDUs."""

from dataclasses import dataclass, field
from typing import Any

from ..formats.fragments import ENTRY_MARK, Edit
from .nodes import Branch, Leaf, Node


@dataclass(slots=True)
class Array:
    """An array that lies in an HDU: ``source: fits:NAME,version``, and what the tree says of it.

    Attributes
    ----------
    name, version : str, int
        The HDU.
    key : str
        The key of the slit that has it.
    parts : dict of Node
        The rest, by key.
    place : (int, int) or None
        Where the text has its datatype, and its length; None where something else refers to it.
    """

    name: str
    version: int
    key: str
    parts: dict[str, Node] = field(default_factory=dict)
    place: tuple[int, int] | None = None

    @property
    def keys(self) -> set[str]:
        """Keys of the node."""
        return set(self.parts)

    @property
    def shape(self) -> tuple[Any, ...] | None:
        """Its shape, None where that is no list."""
        shape = self.parts["shape"]
        if not isinstance(shape, Branch) or not isinstance(shape.parts, list):
            return None
        return tuple(item.value() if isinstance(item, Leaf) else None for item in shape.parts)

    @property
    def datatype(self) -> str:
        """Its datatype, empty where that is none of a plane's."""
        return text_of(self.parts["datatype"])

    @property
    def byteorder(self) -> str:
        """Its order of bytes, empty where that is none."""
        return text_of(self.parts["byteorder"])


def text_of(node: Node) -> str:
    """Text of a leaf, empty where it is none."""
    return node.text if isinstance(node, Leaf) else ""


@dataclass(slots=True)
class Slit:
    """What the tree says of one slit.

    Attributes
    ----------
    start, end : int
        Its text within the document, in characters.
    edits : list of Edit
        What makes a fragment of that text; places count from `start`.
    arrays : list of Array
        Arrays in HDUs, in the order of the text.
    blocks : list of int
        Internal blocks that it uses: the exposure's first, then its own, as its marks count them.
    node : Branch
        Its content, but for the WCS.
    own : list of str
        Keys of the exposure's metadata that the slit replaces by a merged version of its own.
    number : int
        Its place in the exposure, from 1.
    key : str
        The key that is being read.
    """

    start: int
    blocks: list[int]
    end: int = 0
    edits: list[Edit] = field(default_factory=list)
    arrays: list[Array] = field(default_factory=list)
    node: Branch = field(default_factory=Branch)
    own: list[str] = field(default_factory=list)
    number: int = 0
    key: str = ""
    anchors: dict[str, str] = field(default_factory=dict)

    def edit(self, place: int, length: int, text: str) -> None:
        """Note that a part of the document is replaced in the fragment."""
        self.edits.append((place - self.start, length, text))

    def retype(self, array: Array, datatype: str | None) -> None:
        """Have the fragment say of an array what its header says."""
        if array.place and datatype and array.datatype != datatype:
            self.edit(*array.place, datatype)
            self.edits.sort(key=lambda edit: edit[0])

    def name_anchor(self, anchor: str) -> str:
        """Give an anchor a name that depends on nothing but this slit and its entry's number."""
        return self.anchors.setdefault(anchor, f"s{ENTRY_MARK}_{len(self.anchors) + 1}")
