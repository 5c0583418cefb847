"""Nodes of an ASDF tree, read from libyaml's events.

If a node belongs to a slit, the changes for a product are recorded as edits of the slit's text (see
`fragments`). `tree` reads the levels above: document and slits.
"""

import math
import re
from collections.abc import Container, Iterable, Sequence
from typing import Any, Literal, overload

import yaml

from ..formats.standards import PREFIX, RENAMED_TAGS
from ..formats.template import BLOCK_PLACEHOLDER, ENTRY_PLACEHOLDER, TAG_MARK, number_blocks
from .nodes import MAX_SIZE, Branch, Leaf, Node, at, beyond_all_bounds
from .slit import Array, Slit
from .transforms import required_keys

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


class UnusualLayoutError(Exception):
    """The document is not laid out as asdf writes it."""


class NoScalarError(ValueError):
    """A key that is not a scalar."""

    def __init__(self) -> None:
        super().__init__("its ASDF tree has a key that is not a scalar")


def is_bare(event: Any) -> bool:
    """Whether an event is a scalar without an anchor: most of a tree, which needs no edits."""
    return type(event) is yaml.ScalarEvent and event.anchor is None and event.tag is None


def bare_leaf(event: Any) -> Leaf:
    """Leaf of such a scalar."""
    return Leaf(event.value, None, event.implicit[0] and not event.style)


def item_size(datatype: Node | None) -> int | None:
    """Return the bytes of an item of an array; None if they do not follow from its datatype.

    A datatype is a name, a string type with its length, or a list of the fields of a structure
    (ASDF standard 1.6, core/datatype-1.0.0).
    """
    if isinstance(datatype, Leaf):
        return ITEM_SIZES.get(datatype.text)
    if datatype is None or isinstance(datatype.parts, dict):
        return None
    match datatype.parts:
        case [Leaf(text=name), Leaf() as length] if name in STRING_SIZES:
            count = length.value()
            return STRING_SIZES[name] * count if type(count) is int else None
    sizes = [
        item_size(part if isinstance(part, Leaf) else at(part, "datatype"))
        if at(part, "shape") is None
        else None
        for part in datatype.parts
    ]
    return None if None in sizes else sum(size for size in sizes if size)


class NodeReader:
    """Reads the nodes of a document in order; raises ValueError if it cannot read one.

    Parameters
    ----------
    text : str
        The document.
    rooms : sequence of int or None
        Bytes of the arrays in the internal blocks after the document; None for compressed ones.
    """

    def __init__(self, text: str, rooms: Sequence[int | None]) -> None:
        self.text = text
        self.rooms = rooms
        self.next = Loader(text).get_event
        self.anchors: dict[str, Node] = {}
        self.texts: dict[str, tuple[str, list[int]]] = {}
        self.written: dict[tuple[str, ...], str] = {}
        #: Tags seen so far, and the required keys of each.
        self.tags: dict[str, frozenset[str]] = {}
        self.room = self.slit_room = max(2 * len(text), MAX_SIZE)
        self.shared_room = max(MAX_GROWTH * len(text), MAX_SIZE)

    @overload
    def node(self, event: Any, slit: Slit | None, build: Literal[True], depth: int = 0) -> Node: ...

    @overload
    def node(self, event: Any, slit: Slit | None, build: bool, depth: int = 0) -> Node | None: ...

    def node(self, event: Any, slit: Slit | None, build: bool, depth: int = 0) -> Node | None:
        """Read one node: record edits if it belongs to a slit, build it if it is wanted."""
        if depth > MAX_DEPTH:
            raise ValueError("its ASDF tree is nested too deeply")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, slit, build)
        if event.anchor:
            build = True
        if event.anchor or event.tag:
            self.properties(event, slit)
        node: Node | None = None
        if isinstance(event, yaml.ScalarEvent):
            if build:
                tag = event.tag if not any(event.implicit) else None
                plain = not event.style and event.implicit != (False, True)
                node = Leaf(event.value, tag, plain)
        elif isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            while type(part := self.next()) is not yaml.SequenceEndEvent:
                if not is_bare(part):
                    if item := self.node(part, slit, build, depth + 1):
                        items.append(item)
                elif build:
                    items.append(bare_leaf(part))
            if build:
                node = Branch(items, event.tag)
        else:
            parts = self.mapping_parts(event, slit, build, depth)
            if build:
                node = Branch(parts, event.tag)
        if event.anchor and node:
            if event.anchor in self.anchors:
                raise ValueError(f"its ASDF tree defines the anchor {event.anchor} twice")
            self.anchors[event.anchor] = node
        return node

    def mapping_parts(
        self, start: Any, slit: Slit | None, build: bool, depth: int
    ) -> dict[str, Node]:
        """Read the rest of a mapping; record it if it is an array in an HDU."""
        is_array = bool(start.tag) and start.tag.startswith(NDARRAY)
        if not (build or is_array):
            self.skim_mapping(start, slit, depth)
            return {}
        parts: dict[str, Node] = {}
        in_hdu: Array | None = None
        while type(event := self.next()) is not yaml.MappingEndEvent:
            key = bare_leaf(event) if is_bare(event) else self.node(event, slit, True, depth + 1)
            if not isinstance(key, Leaf):
                raise NoScalarError
            value = self.next()
            if is_array and key.text == "source":
                if not isinstance(value, yaml.ScalarEvent) or value.anchor:
                    raise ValueError("its ASDF tree has an array whose source is not plain")
                if slit:
                    in_hdu = self.source(value, slit)
            if is_bare(value):
                part: Node = bare_leaf(value)
            else:
                part = self.node(value, slit, True, depth + 1)
            name = key.as_key()
            if name in parts or len(name) > MAX_KEY:
                self.check_new(name, parts)
            parts[name] = part
        if in_hdu:
            in_hdu.parts = parts
        elif is_array:
            self.check_array(parts)
        if start.tag:
            self.check_required(start.tag, parts.keys(), slit)
        return parts

    def skim_mapping(self, start: Any, slit: Slit | None, depth: int) -> None:
        """Read the rest of a mapping that is not kept: nearly all of a WCS."""
        following, keys = self.next, []
        while type(event := following()) is not yaml.MappingEndEvent:
            if not is_bare(event) and not isinstance(self.node(event, slit, True, depth + 1), Leaf):
                raise NoScalarError
            keys.append(getattr(event, "value", ""))
            if not is_bare(value := following()):
                self.node(value, slit, False, depth + 1)
        if start.tag:
            self.check_required(start.tag, keys, slit)

    def check_required(self, tag: str, keys: Iterable[str], slit: Slit | None) -> None:
        """Refuse a node without the keys that its tag requires."""
        if not self.tags[tag].issubset(keys):
            where = f"slit {slit.number} of its ASDF tree" if slit else "its ASDF tree"
            lacking = ", ".join(sorted(self.tags[tag].difference(keys)))
            raise ValueError(f"{where} has {tag.rpartition(':')[2]} without {lacking}")

    def check_new(self, key: str, known: Container[str]) -> None:
        """Refuse a key that is too long for one line; one that is repeated has to be dropped."""
        if key in known:
            raise UnusualLayoutError
        if len(key) > MAX_KEY:
            raise ValueError(f"its ASDF tree has a key of {len(key)} characters")

    def source(self, event: Any, slit: Slit) -> Array | None:
        """Record the location of the data of a slit's array, which the product numbers anew."""
        place, length = event.start_mark.index, event.end_mark.index - event.start_mark.index
        if match := _IN_HDU.fullmatch(event.value):
            slit.edit(place, length, f'"fits:{match[1]},{ENTRY_PLACEHOLDER}"')
            slit.arrays.append(Array(match[1], int(match[2]), slit.key))
            return slit.arrays[-1]
        slit.edit(place, length, self.block_mark(event.value, slit.blocks))
        return None

    def block_mark(self, source: str, blocks: list[int]) -> str:
        """Mark of an internal block, which is added to the list of used blocks if it is new."""
        if not _BLOCK.fullmatch(source):
            raise ValueError(f"its ASDF tree has an array that lies elsewhere ({source[:40]!r})")
        number = self.block_number(source)
        if number not in blocks:
            blocks.append(number)
        return f"{BLOCK_PLACEHOLDER}{blocks.index(number)};"

    def block_number(self, source: str) -> int:
        """Return the number of an internal block; negative numbers count from the end."""
        n_blocks = len(self.rooms)
        number = int(source) + (n_blocks if source.startswith("-") else 0)
        if not 0 <= number < n_blocks:
            raise ValueError(f"its ASDF tree uses block {source}, but has {n_blocks} of them")
        return number

    def check_array(self, parts: dict[str, Node]) -> None:
        """Refuse an array that does not fit its internal block, as far as its size is known."""
        source, datatype, order, shape = map(
            parts.get, ("source", "datatype", "byteorder", "shape")
        )
        if not (isinstance(source, Leaf) and _BLOCK.fullmatch(source.text)):
            return
        if isinstance(datatype, Leaf) and datatype.text not in ITEM_SIZES:
            raise ValueError(f"its ASDF tree has an array of unknown datatype {datatype.text:.40}")
        if isinstance(order, Leaf) and order.text not in ("big", "little"):
            raise ValueError(f"its ASDF tree has an array of unknown byteorder {order.text:.40}")
        axes = shape.parts if isinstance(shape, Branch) else [None]
        values = [axis.value() if isinstance(axis, Leaf) else None for axis in axes]
        sizes = [value for value in values if type(value) is int and value >= 0]
        if len(sizes) < len(values):
            raise ValueError("its ASDF tree has an array whose shape is not a list of integers")
        room, item = self.rooms[self.block_number(source.text)], item_size(datatype)
        if room is None or item is None or "strides" in parts:
            return
        if math.prod(sizes) * item > room:
            raise ValueError("its ASDF tree has an array that is larger than its block")

    def properties(self, event: Any, slit: Slit | None) -> None:
        """Record the tag of a node, and the edits of a slit's anchor and tag."""
        if event.tag and event.tag not in self.tags:
            if not _TAG.fullmatch(event.tag):
                raise ValueError(f"its ASDF tree has an invalid tag ({event.tag[:40]!r})")
            self.tags[event.tag] = required_keys(event.tag)
        if not slit:
            return
        edits = []
        if event.anchor:
            place = self.text.index(f"&{event.anchor}", event.start_mark.index)
            edits.append((place, 1 + len(event.anchor), f"&{slit.name_anchor(event.anchor)}"))
        if event.tag in RENAMED_TAGS:
            before = _BEFORE_TAG.match(self.text, event.start_mark.index)
            if not before or not self.text.startswith(event.tag[len(PREFIX) :], before.end()):
                raise UnusualLayoutError
            edits.append((before.end(), 0, TAG_MARK))
        for edit in sorted(edits):
            slit.edit(*edit)

    def alias(self, event: Any, slit: Slit | None, build: bool) -> Node | None:
        """Resolve an alias: within a slit by name, across slits by writing out the node."""
        if event.anchor not in self.anchors:
            raise ValueError(f"its ASDF tree has an alias without its node ({event.anchor[:40]})")
        if slit:
            place, length = event.start_mark.index, event.end_mark.index - event.start_mark.index
            if event.anchor in slit.anchors:
                slit.edit(place, length, f"*{slit.name_anchor(event.anchor)}")
            else:
                self.bounded(self.anchors[event.anchor])
                slit.edit(place, length, self.written_out(event.anchor, slit))
        return self.bounded(self.anchors[event.anchor]) if build else None

    def written_out(self, anchor: str, slit: Slit) -> str:
        """Text of an anchored node, with the slit's anchor name and block marks.

        Slits with the same name and marks share one text.
        """
        if anchor not in self.texts:
            used: list[int] = []
            text = self.localised(self.anchors[anchor], used).render()
            self.texts[anchor] = self.kept(text), used
        text, used = self.texts[anchor]
        marks = [self.block_mark(str(number), slit.blocks) for number in used]
        key = anchor, slit.name_anchor(anchor), *marks
        if key not in self.written:
            text = number_blocks(text, marks.__getitem__)
            self.written[key] = self.kept(f"&{key[1]} {text}")
        return self.written[key]

    def kept(self, text: str) -> str:
        """Count the size of a text that is held until the document is read."""
        self.shared_room -= len(text)
        if self.shared_room < 0:
            raise beyond_all_bounds()
        return text

    def bounded(self, node: Node) -> Node:
        """Count the size of a node that is written out once more, for one slit."""
        self.room -= node.size
        if self.room < 0:
            raise beyond_all_bounds()
        return node

    def localised(self, node: Node, blocks: list[int]) -> Node:
        """Node with marks instead of the numbers of its internal blocks."""
        if isinstance(node, Leaf):
            return node
        if isinstance(node.parts, list):
            return Branch([self.localised(part, blocks) for part in node.parts], node.tag)
        parts = {key: self.localised(part, blocks) for key, part in node.parts.items()}
        if node.tag and node.tag.startswith(NDARRAY):
            source = parts.get("source")
            if isinstance(source, Leaf):
                parts["source"] = Leaf(self.block_mark(source.text, blocks))
        return Branch(parts, node.tag)
