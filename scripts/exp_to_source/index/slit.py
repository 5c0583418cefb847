"""A slit in the tree: its text, the replacements for a product, its arrays in HDUs."""

from dataclasses import dataclass, field
from typing import Any

from ..formats.template import ENTRY_PLACEHOLDER, Replacement
from .nodes import Collection, Node, Scalar


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
        """Record that a part of the document is replaced in the fragment."""
        self.replacements.append((offset - self.start, length, text))

    def rename_anchor(self, anchor: str) -> str:
        """Give an anchor a name that depends only on this slit and its entry's number."""
        return self.anchors.setdefault(anchor, f"s{ENTRY_PLACEHOLDER}_{len(self.anchors) + 1}")
