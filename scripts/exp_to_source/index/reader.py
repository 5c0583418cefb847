"""Nodes of an ASDF tree, read from libyaml's events.

If a node belongs to a slit, the changes for a product are recorded as replacements in its text (see
`template`). `tree` reads the levels above: document and slits.
"""

import json
import math
import re
from collections.abc import Container, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..formats.standards import PREFIX, RENAMED_TAGS
from ..formats.template import BLOCK_PLACEHOLDER, ENTRY_PLACEHOLDER, TAG_MARK, number_blocks
from .nodes import MAX_SIZE, Array, Collection, Node, Scalar, SlitTree, alias_bomb_error, at

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

NDARRAY = "tag:stsci.edu:asdf/core/ndarray-"

#: Deeper nesting is an attack or damage: compound models of real exposures have a depth of about
#: 60.
MAX_DEPTH = 200

#: Limit of the text written out for aliases of other slits, as a multiple of the document's, but at
#: least `MAX_SIZE`; more is an attack. Text that slits share counts once.
MAX_GROWTH = 4

#: Maximum length of YAML keys in one line.
MAX_KEY = 1000

#: In place of a node that is not built, as in a WCS.
NOT_BUILT = Scalar("(not built)")

#: Bytes of a number of each type in an array (ASDF standard 1.6, core/datatype-1.0.0).
ITEM_SIZES = {
    **dict.fromkeys(("int8", "uint8", "bool8"), 1),
    **dict.fromkeys(("int16", "uint16", "float16"), 2),
    **dict.fromkeys(("int32", "uint32", "float32"), 4),
    **dict.fromkeys(("int64", "uint64", "float64", "complex64"), 8),
    "complex128": 16,
}

#: Bytes of a character of each type of string.
STRING_SIZES = {"ascii": 1, "ucs4": 4}

_TAG = re.compile(r"[A-Za-z0-9!$'()*+,./:;=@_~-]{1,200}")
_BEFORE_TAG = re.compile(rf"(?:&[^\s,\[\]{{}}]+\s+)?!(?:<{re.escape(PREFIX)})?")
_BLOCK = re.compile(r"-?[0-9]{1,9}")
_IN_HDU = re.compile(r"fits:([A-Z0-9_]+),([0-9]+)")


@cache
def required_keys() -> dict[str, frozenset[str]]:
    """Read the keys that readers require in nodes, by tag without its version.

    ``update_tables.py`` writes the table from the installed schemas, so that a broken transform
    is detected without loading a schema or building transforms.
    """
    text = Path(__file__).with_name("transforms.json").read_text(encoding="utf-8")
    return {tag: frozenset(keys) for tag, keys in json.loads(text).items()}


class UnusualLayoutError(Exception):
    """The document is not laid out as asdf writes it."""


def is_simple_scalar(event: Any) -> bool:
    """Check for a scalar without anchor and tag: most of a tree, which needs no replacements."""
    return type(event) is yaml.ScalarEvent and event.anchor is None and event.tag is None


def simple_scalar(event: Any) -> Scalar:
    """Build the node of such a scalar."""
    return Scalar(event.value, None, event.implicit[0] and not event.style)


def item_size(datatype: Node | None) -> int | None:
    """Return the bytes of an item of an array; None if they do not follow from its datatype.

    A datatype is a name, a string type with its length, or a list of the fields of a structure
    (ASDF standard 1.6, core/datatype-1.0.0).
    """
    if isinstance(datatype, Scalar):
        return ITEM_SIZES.get(datatype.text)
    if datatype is None or isinstance(datatype.content, dict):
        return None
    match datatype.content:
        case [Scalar(text=name), Scalar() as length] if name in STRING_SIZES:
            count = length.value()
            return STRING_SIZES[name] * count if type(count) is int else None
    sizes = [
        item_size(item if isinstance(item, Scalar) else at(item, "datatype"))
        if at(item, "shape") is None
        else None
        for item in datatype.content
    ]
    return None if None in sizes else sum(size for size in sizes if size)


class NodeReader:
    """Reads the nodes of a document in order; raises ValueError if it cannot read one.

    Parameters are the document, and the bytes of the arrays in the internal blocks after it (None
    for compressed ones).
    """

    def __init__(self, text: str, block_sizes: Sequence[int | None]) -> None:
        self.text = text
        #: Characters of the file's document that were left out so far.
        self.omitted = 0
        self.block_sizes = block_sizes
        self.next = Loader(text).get_event
        self.anchors: dict[str, Node] = {}
        #: Texts of anchored nodes, and the blocks of each; the same with names for one slit.
        self.templates: dict[str, tuple[str, list[int]]] = {}
        self.expanded: dict[tuple[str, ...], str] = {}
        #: Tags read so far, and the required keys of each.
        self.tags: dict[str, frozenset[str]] = {}
        #: Text that aliases may still add: to one slit, and to all together.
        self.remaining_budget = self.slit_budget = max(2 * len(text), MAX_SIZE)
        self.shared_budget = max(MAX_GROWTH * len(text), MAX_SIZE)

    def span(self, start: Any, end: Any) -> tuple[int, int]:
        """Return offset and length of the text from the start of an event to another's end."""
        offset = start.start_mark.index
        return offset + self.omitted, end.end_mark.index - offset

    def line(self, event: Any) -> int:
        """Return the offset of the line in which an event starts."""
        mark = event.start_mark
        return self.omitted + int(mark.index - mark.column)

    def node(self, event: Any, slit: SlitTree | None, build: bool, depth: int = 0) -> Node:
        """Read one node: record replacements if it belongs to a slit, build it if `build`."""
        if depth > MAX_DEPTH:
            raise ValueError("its ASDF tree is nested too deeply")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, slit, build)
        if event.anchor:
            build = True
        if event.anchor or event.tag:
            self.properties(event, slit)
        node: Node = NOT_BUILT
        if isinstance(event, yaml.ScalarEvent):
            if build:
                tag = event.tag if not any(event.implicit) else None
                plain = not event.style and event.implicit != (False, True)
                node = Scalar(event.value, tag, plain)
        elif isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            while type(start := self.next()) is not yaml.SequenceEndEvent:
                if not is_simple_scalar(start):
                    items.append(self.node(start, slit, build, depth + 1))
                elif build:
                    items.append(simple_scalar(start))
            if build:
                node = Collection(items, event.tag)
        elif build or (event.tag and event.tag.startswith(NDARRAY)):
            content = self.mapping(event, slit, depth)
            if build:
                node = Collection(content, event.tag)
        else:
            self.skip_mapping(event, slit, depth)
        if event.anchor:
            self.add_anchor(event.anchor, node)
        return node

    def mapping(self, start: Any, slit: SlitTree | None, depth: int) -> dict[str, Node]:
        """Read the rest of a mapping; record it if it is an array in an HDU."""
        is_array = bool(start.tag) and start.tag.startswith(NDARRAY)
        content: dict[str, Node] = {}
        in_hdu: Array | None = None
        while type(event := self.next()) is not yaml.MappingEndEvent:
            key = simple_scalar(event) if is_simple_scalar(event) else self.key(event, slit, depth)
            event = self.next()
            if is_array and key.text == "source":
                if not isinstance(event, yaml.ScalarEvent) or event.anchor:
                    raise ValueError("its ASDF tree has an array whose source is not plain")
                if slit:
                    in_hdu = self.source(event, slit)
            if is_simple_scalar(event):
                value: Node = simple_scalar(event)
            else:
                value = self.node(event, slit, True, depth + 1)
            name = key.as_key()
            if name in content or len(name) > MAX_KEY:
                self.check_new(name, content)
            content[name] = value
        if in_hdu:
            in_hdu.content = content
        elif is_array:
            self.check_array(content)
        if start.tag:
            self.check_required(start.tag, content, slit)
        return content

    def skip_mapping(self, start: Any, slit: SlitTree | None, depth: int) -> None:
        """Read the rest of a mapping of which no node is built: nearly all of a WCS."""
        following, keys = self.next, []
        while type(event := following()) is not yaml.MappingEndEvent:
            if not is_simple_scalar(event):
                self.key(event, slit, depth)
            keys.append(getattr(event, "value", ""))
            if not is_simple_scalar(value := following()):
                self.node(value, slit, False, depth + 1)
        if start.tag:
            self.check_required(start.tag, keys, slit)

    def key(self, event: Any, slit: SlitTree | None, depth: int) -> Scalar:
        """Read a key that has an anchor or a tag, or is an alias."""
        node = self.node(event, slit, True, depth + 1)
        if not isinstance(node, Scalar):
            raise ValueError("its ASDF tree has a key that is not a scalar")
        return node

    def check_required(self, tag: str, keys: Iterable[str], slit: SlitTree | None) -> None:
        """Check that a node has the keys that its tag requires."""
        if not self.tags[tag].issubset(keys):
            where = f"slit {slit.number} of its ASDF tree" if slit else "its ASDF tree"
            missing = ", ".join(sorted(self.tags[tag].difference(keys)))
            raise ValueError(f"{where} has {tag.rpartition(':')[2]} without {missing}")

    def check_new(self, key: str, previous: Container[str]) -> None:
        """Check that a key fits in one line, and is not repeated, which `normalise` mends."""
        if key in previous:
            raise UnusualLayoutError
        if len(key) > MAX_KEY:
            raise ValueError(f"its ASDF tree has a key of {len(key)} characters")

    def source(self, event: Any, slit: SlitTree) -> Array | None:
        """Record the location of the data of a slit's array, which products renumber."""
        if match := _IN_HDU.fullmatch(event.value):
            slit.replace(*self.span(event, event), f'"fits:{match[1]},{ENTRY_PLACEHOLDER}"')
            slit.arrays.append(Array(match[1], int(match[2]), slit.key))
            return slit.arrays[-1]
        slit.replace(*self.span(event, event), self.block_mark(event.value, slit.blocks))
        return None

    def block_mark(self, source: str, blocks: list[int]) -> str:
        """Return the mark of an internal block; append it to `blocks` if it is new."""
        if not _BLOCK.fullmatch(source):
            raise ValueError(f"its ASDF tree has an array that lies elsewhere ({source[:40]!r})")
        number = self.block_number(source)
        if number not in blocks:
            blocks.append(number)
        return f"{BLOCK_PLACEHOLDER}{blocks.index(number)};"

    def block_number(self, source: str) -> int:
        """Return the number of an internal block; negative numbers count from the end."""
        n_blocks = len(self.block_sizes)
        number = int(source) + (n_blocks if source.startswith("-") else 0)
        if not 0 <= number < n_blocks:
            raise ValueError(f"its ASDF tree uses block {source}, but has {n_blocks} of them")
        return number

    def check_array(self, content: dict[str, Node]) -> None:
        """Check that an array fits its internal block, as far as its size is known."""
        source, datatype, order, shape = map(
            content.get, ("source", "datatype", "byteorder", "shape")
        )
        if not (isinstance(source, Scalar) and _BLOCK.fullmatch(source.text)):
            return
        if isinstance(datatype, Scalar) and datatype.text not in ITEM_SIZES:
            raise ValueError(f"its ASDF tree has an array of unknown datatype {datatype.text:.40}")
        if isinstance(order, Scalar) and order.text not in ("big", "little"):
            raise ValueError(f"its ASDF tree has an array of unknown byteorder {order.text:.40}")
        axes = shape.content if isinstance(shape, Collection) else [None]
        values = [axis.value() if isinstance(axis, Scalar) else None for axis in axes]
        lengths = [value for value in values if type(value) is int and value >= 0]
        if len(lengths) < len(values):
            raise ValueError("its ASDF tree has an array whose shape is not a list of integers")
        block_size, size = self.block_sizes[self.block_number(source.text)], item_size(datatype)
        if block_size is None or size is None or "strides" in content:
            return
        if math.prod(lengths) * size > block_size:
            raise ValueError("its ASDF tree has an array that is larger than its block")

    def properties(self, event: Any, slit: SlitTree | None) -> None:
        """Record the tag of a node, and replacements of a slit's anchor and tag."""
        if event.tag and event.tag not in self.tags:
            if not _TAG.fullmatch(event.tag):
                raise ValueError(f"its ASDF tree has an invalid tag ({event.tag[:40]!r})")
            name = event.tag.rpartition("-")[0]
            self.tags[event.tag] = required_keys().get(name, frozenset())
        if not slit:
            return
        replacements = []
        if event.anchor:
            offset = self.text.index(f"&{event.anchor}", event.start_mark.index)
            name = slit.rename_anchor(event.anchor)
            replacements.append((offset, 1 + len(event.anchor), f"&{name}"))
        if event.tag in RENAMED_TAGS:
            before = _BEFORE_TAG.match(self.text, event.start_mark.index)
            if not before or not self.text.startswith(event.tag[len(PREFIX) :], before.end()):
                raise UnusualLayoutError
            replacements.append((before.end(), 0, TAG_MARK))
        for offset, length, new in sorted(replacements):
            slit.replace(offset + self.omitted, length, new)

    def alias(self, event: Any, slit: SlitTree | None, build: bool) -> Node:
        """Resolve an alias: within a slit by name, across slits by writing out the node."""
        if event.anchor not in self.anchors:
            raise ValueError(f"its ASDF tree has an alias without its node ({event.anchor[:40]})")
        if slit:
            slit.replace(*self.span(event, event), self.alias_text(event.anchor, slit))
        return self.charge_node(self.anchored(event.anchor)) if build else NOT_BUILT

    def alias_text(self, anchor: str, slit: SlitTree) -> str:
        """Return an alias as a slit has it: renamed, or another slit's node, written out."""
        if anchor in slit.anchors:
            return f"*{slit.rename_anchor(anchor)}"
        self.charge_node(self.anchored(anchor))
        return self.expand_alias(anchor, slit)

    def anchored(self, anchor: str) -> Node:
        """Return an anchored node, which must have been read."""
        if self.anchors[anchor] is NOT_BUILT:
            raise UnusualLayoutError
        return self.anchors[anchor]

    def add_anchor(self, anchor: str, node: Node) -> None:
        """Remember an anchored node; `NOT_BUILT` if it was not read."""
        if anchor in self.anchors:
            raise ValueError(f"its ASDF tree defines the anchor {anchor} twice")
        self.anchors[anchor] = node

    def expand_alias(self, anchor: str, slit: SlitTree) -> str:
        """Write out an anchored node, with the slit's anchor name and block marks.

        Slits with the same name and marks share one text.
        """
        if anchor not in self.templates:
            used: list[int] = []
            text = self.with_block_placeholders(self.anchors[anchor], used).render()
            self.templates[anchor] = self.charge_text(text), used
        text, used = self.templates[anchor]
        marks = [self.block_mark(str(number), slit.blocks) for number in used]
        key = anchor, slit.rename_anchor(anchor), *marks
        if key not in self.expanded:
            text = number_blocks(text, marks.__getitem__)
            self.expanded[key] = self.charge_text(f"&{key[1]} {text}")
        return self.expanded[key]

    def charge_text(self, text: str) -> str:
        """Charge the budget for a text that is held until the document is read."""
        self.shared_budget -= len(text)
        if self.shared_budget < 0:
            raise alias_bomb_error()
        return text

    def charge_node(self, node: Node) -> Node:
        """Charge the budget for a node that is written out once more, for one slit."""
        self.remaining_budget -= node.size
        if self.remaining_budget < 0:
            raise alias_bomb_error()
        return node

    def with_block_placeholders(self, node: Node, blocks: list[int]) -> Node:
        """Copy a node, with marks instead of the numbers of its internal blocks."""
        if isinstance(node, Scalar):
            return node
        if isinstance(node.content, list):
            items = [self.with_block_placeholders(item, blocks) for item in node.content]
            return Collection(items, node.tag)
        content = {
            key: self.with_block_placeholders(value, blocks) for key, value in node.content.items()
        }
        if node.tag and node.tag.startswith(NDARRAY):
            source = content.get("source")
            if isinstance(source, Scalar):
                content["source"] = Scalar(self.block_mark(source.text, blocks))
        return Collection(content, node.tag)
