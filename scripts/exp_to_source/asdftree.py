"""The ASDF tree of an exposure, taken apart slit by slit without building its objects.

The YAML is read once, as libyaml's events. A slit's text stays where it is in the file; what has
to differ in a product is noted as edits of that text (see `fragments`), so that the result is
self-contained and the same wherever the slit stands in its exposure: anchors that other slits
defined are written out, arrays in HDUs and internal blocks are renumbered, and the exposure's
metadata is merged over the slit's as ``exp_to_source`` of the jwst package does.

Only documents laid out as asdf writes them are read so; `normalise` makes others be.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from .errors import InputError
from .fragments import BLOCK_MARK, ENTRY_MARK, META_MARK, TYPE_MARK, Edit
from .nodes import MAX_SIZE, Branch, Leaf, Node, adds, mapping, merge

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

TAGS = {"!": "tag:stsci.edu:asdf/"}
NDARRAY = "tag:stsci.edu:asdf/core/ndarray-"

#: Entry metadata that stays the slit's own where the exposure's is merged over it.
SLIT_KEYS = frozenset({"bunit_data", "bunit_err", "model_type", "photometry", "wcs", "wcsinfo"})

#: Entry metadata that is not left in a slit's text, as products write it themselves.
GIVEN_KEYS = frozenset({"asn", "filename"})

#: Deeper nesting is an attack or damage: compound models of real exposures reach about 60.
MAX_DEPTH = 200

#: Text that aliases may stand for, as a multiple of the document's own, but never less than
#: `MAX_SIZE`; more is an attack.
MAX_GROWTH = 4

#: Keys of YAML in one line may not be longer.
MAX_KEY = 1000

_TAG = re.compile(r"[A-Za-z0-9!$'()*+,./:;=@_~-]{1,200}")
_IN_HDU = re.compile(r"fits:([A-Z0-9_]+),([0-9]+)")


class UnusualLayoutError(Exception):
    """The document is not laid out as asdf writes it."""


_BLOCK_MARK = re.compile(f"{BLOCK_MARK}([0-9]+);")


@dataclass(slots=True)
class Array:
    """An array that lies in an HDU: ``source: fits:NAME,version``, with the tree's shape of it."""

    name: str
    version: int
    shape: tuple[int, ...] | None


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
    """

    start: int
    blocks: list[int]
    end: int = 0
    edits: list[Edit] = field(default_factory=list)
    arrays: list[Array] = field(default_factory=list)
    node: Branch = field(default_factory=Branch)
    own: list[str] = field(default_factory=list)
    anchors: dict[str, str] = field(default_factory=dict)

    def edit(self, place: int, length: int, text: str) -> None:
        """Note that a part of the document is replaced in the fragment."""
        self.edits.append((place - self.start, length, text))

    def name_anchor(self, anchor: str) -> str:
        """Give an anchor a name that depends on nothing but this slit and its entry's number."""
        return self.anchors.setdefault(anchor, f"s{ENTRY_MARK}_{len(self.anchors) + 1}")


@dataclass(slots=True)
class Tree:
    """What the document says of the exposure as a whole, and of each slit.

    Attributes
    ----------
    text : str
        The document.
    top : Branch
        Its top level without the slits, of that ``meta``, ``cal_logs``, ``history``,
        ``asdf_library`` and ``_fits_hash``.
    common : dict of str
        The metadata that every entry takes from the exposure: key to YAML text, with marks.
    slits : list of Slit
        In their order.
    """

    text: str
    top: Branch = field(default_factory=Branch)
    common: dict[str, str] = field(default_factory=dict)
    slits: list[Slit] = field(default_factory=list)

    @property
    def meta(self) -> Node:
        """The exposure's metadata."""
        return self.top.parts["meta"]


def parse(text: str, path: str, n_blocks: int) -> Tree:
    """Read a document laid out as asdf writes it.

    Parameters
    ----------
    text : str
        The YAML document.
    path : str
        Name of the exposure, for messages.
    n_blocks : int
        Count of the internal blocks that follow the document.

    Raises
    ------
    InputError
        If it is damaged, or not the tree of a MultiSlitModel.
    UnusualLayoutError
        If it has to be normalised first.
    """
    try:
        return _Parser(text, n_blocks).document()
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        line = f" at its line {mark.line + 1}" if mark else ""
        what = f"is damaged{line} ({problem or 'not valid YAML'})"
        raise InputError(f"{path}: the ASDF tree {what}; fetch the file again") from None
    except ValueError as error:
        raise InputError(f"{path}: {error}; make the file again with the pipeline") from None


def is_bare(event: Any) -> bool:
    """Whether an event is a scalar that nothing refers to: most of a tree, and of no concern."""
    return type(event) is yaml.ScalarEvent and event.anchor is None and event.tag is None


class _Parser:
    """One pass over the events of a document; what it cannot take ends in a ValueError."""

    def __init__(self, text: str, n_blocks: int) -> None:
        self.n_blocks = n_blocks
        self.next = Loader(text).get_event
        self.tree = Tree(text)
        self.meta_blocks: list[int] = []
        self.shared: dict[str, Node] = {}
        self.anchors: dict[str, Node] = {}
        self.texts: dict[str, tuple[str, list[int]]] = {}
        self.tags: set[str] = set()
        self.room = max(MAX_GROWTH * len(text), MAX_SIZE)

    # The levels of known layout: document, slits, a slit, its metadata.

    def document(self) -> Tree:
        self.next()
        start = self.next()
        if not isinstance(start, yaml.DocumentStartEvent):
            raise ValueError("its ASDF tree is empty")
        if start.version not in (None, (1, 1)) or start.tags != TAGS:
            raise UnusualLayoutError
        for key, _ in self.keys(self.next(), 0):
            if key == "slits":
                self.slits()
            elif key in ("meta", "cal_logs", "history", "asdf_library", "_fits_hash"):
                node = self.tree.top.parts[key] = self.node(self.next(), None, True)
                if key == "meta":
                    self.share_meta()
                else:
                    self.refuse_arrays(node)
            elif key:
                self.node(self.next(), None, False)
        if not isinstance(self.next(), yaml.DocumentEndEvent) or not isinstance(
            self.next(), yaml.StreamEndEvent
        ):
            raise ValueError("its ASDF tree is followed by another document")
        if not self.tree.slits:
            raise ValueError("its ASDF tree has no slits: not a MultiSlitModel with data")
        return self.tree

    def share_meta(self) -> None:
        """Make the texts of the metadata that all entries of the exposure have in common."""
        for key, node in mapping(self.tree.meta).items():
            if key in SLIT_KEYS | GIVEN_KEYS:
                continue
            if key == "exposure":
                node = merge(node, Branch({"type": Leaf(TYPE_MARK)}))
            self.shared[key] = node
            self.tree.common[key] = self.localised(node, self.meta_blocks).render()

    def refuse_arrays(self, node: Node) -> None:
        """Refuse arrays in parts of the tree whose blocks do not travel with a slit."""
        blocks: list[int] = []
        self.localised(node, blocks)
        if blocks:
            raise ValueError("its ASDF tree has arrays that are neither metadata nor a slit's")

    def slits(self) -> None:
        if not self.tree.common:
            # The slits need the exposure's metadata, which asdf writes before them.
            raise UnusualLayoutError
        start = self.next()
        if not isinstance(start, yaml.SequenceStartEvent):
            raise ValueError("the slits of its ASDF tree are not a list")
        if start.flow_style:
            raise UnusualLayoutError
        slits = self.tree.slits
        while True:
            event = self.next()
            line = event.start_mark.index - event.start_mark.column
            if slits:
                slits[-1].end = line
            if isinstance(event, yaml.SequenceEndEvent):
                return
            slits.append(Slit(line, list(self.meta_blocks)))
            self.slit(event, slits[-1])

    def slit(self, event: Any, slit: Slit) -> None:
        self.rename(event, slit)
        parts: dict[str, Node] = {}
        for key, _ in self.keys(event, 2):
            if key == "meta":
                parts[key] = self.slit_meta(slit)
            elif key:
                parts[key] = self.node(self.next(), slit, True)
        if "meta" not in parts:
            raise UnusualLayoutError
        slit.node = Branch(parts)

    def slit_meta(self, slit: Slit) -> Branch:
        """Read a slit's metadata, and note how the exposure's is merged over it."""
        start = self.next()
        self.rename(start, slit)
        if getattr(start, "flow_style", False):
            return self.empty_meta(start, slit)
        parts: dict[str, Node] = {}
        replaced: tuple[int, str] | None = None
        first = True
        for key, line in self.keys(start, 4):
            if first:
                slit.edit(line, 0, META_MARK)
                first = False
            if replaced:
                slit.edit(replaced[0], line - replaced[0], replaced[1])
                replaced = None
            if not key:
                break
            if key in GIVEN_KEYS:
                parts[key] = self.node(self.next(), None, True)
                replaced = line, ""
            elif key in self.shared:
                parts[key] = self.node(self.next(), None, True)
                replaced = line, self.merged(key, parts[key], slit)
            else:
                parts[key] = self.node(self.next(), slit, key != "wcs") or Leaf("")
        return Branch(parts)

    def empty_meta(self, start: Any, slit: Slit) -> Branch:
        """Put the exposure's metadata in place of a slit's ``{}``."""
        end = self.next()
        if not isinstance(end, yaml.MappingEndEvent):
            raise UnusualLayoutError
        place = start.start_mark.index
        slit.edit(place, end.end_mark.index - place, f"\n{META_MARK}")
        return Branch()

    def merged(self, key: str, own: Node, slit: Slit) -> str:
        """Line of metadata for a key that slit and exposure have, none where nothing is added."""
        common = self.shared[key]
        if not adds(own, common):
            return ""
        slit.own.append(key)
        node = self.bounded(merge(own, common))
        return f"    {key}: {self.localised(node, slit.blocks).render()}\n"

    def keys(self, start: Any, column: int) -> Iterator[tuple[str, int]]:
        """Keys of a block mapping and where their lines begin; at last "" and where it ends.

        The value of each key is to be read before the next is asked for.
        """
        if not isinstance(start, yaml.MappingStartEvent):
            if isinstance(start, yaml.AliasEvent):
                raise UnusualLayoutError
            raise ValueError("its ASDF tree is not built as a MultiSlitModel's")
        if start.flow_style:
            raise UnusualLayoutError
        seen: set[str] = set()
        while True:
            event = self.next()
            line = event.start_mark.index - event.start_mark.column
            if isinstance(event, yaml.MappingEndEvent):
                yield "", line
                return
            if event.start_mark.column != column or not isinstance(event, yaml.ScalarEvent):
                raise UnusualLayoutError
            if event.anchor or not event.value:
                raise UnusualLayoutError
            self.check_new(event.value, seen)
            seen.add(event.value)
            yield event.value, line

    # Everything below those levels.

    def node(self, event: Any, slit: Slit | None, build: bool, depth: int = 0) -> Node | None:
        """Read one node: note edits where it belongs to a slit, build it where it is wanted."""
        if depth > MAX_DEPTH:
            raise ValueError("its ASDF tree is nested too deeply")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, slit, build)
        if event.anchor:
            build = True
            self.rename(event, slit)
        if event.tag and event.tag not in self.tags:
            if not _TAG.fullmatch(event.tag):
                raise ValueError(f"its ASDF tree has a tag that is none ({event.tag[:40]!r})")
            self.tags.add(event.tag)
        node: Node | None = None
        if isinstance(event, yaml.ScalarEvent):
            if build:
                tag = event.tag if not any(event.implicit) else None
                plain = not event.style and event.implicit != (False, True)
                node = Leaf(event.value, tag, plain)
        elif isinstance(event, yaml.SequenceStartEvent):
            items = []
            while type(part := self.next()) is not yaml.SequenceEndEvent:
                if build or not is_bare(part):
                    items.append(self.node(part, slit, build, depth + 1))
            if build:
                node = Branch(items, event.tag)
        else:
            parts = self.mapping_parts(event, slit, build, depth)
            if build:
                node = Branch(parts, event.tag)
        if event.anchor:
            if event.anchor in self.anchors:
                raise ValueError(f"its ASDF tree defines the anchor {event.anchor} twice")
            self.anchors[event.anchor] = node
        return node

    def mapping_parts(
        self, start: Any, slit: Slit | None, build: bool, depth: int
    ) -> dict[str, Node]:
        parts = {}
        is_array = bool(start.tag) and start.tag.startswith(NDARRAY)
        shape: tuple[int, ...] | None = None
        in_hdu: Array | None = None
        while type(event := self.next()) is not yaml.MappingEndEvent:
            if not (build or is_array) and is_bare(event):
                if not is_bare(value := self.next()):
                    self.node(value, slit, False, depth + 1)
                continue
            key = self.node(event, slit, True, depth + 1)
            if not isinstance(key, Leaf):
                raise ValueError("its ASDF tree has a key that is not a scalar")
            value = self.next()
            if is_array and key.text == "source":
                if not isinstance(value, yaml.ScalarEvent) or value.anchor:
                    raise ValueError("its ASDF tree has an array whose source is not plain")
                if slit:
                    in_hdu = self.source(value, slit)
            part = self.node(value, slit, build or is_array, depth + 1)
            if is_array and key.text == "shape" and isinstance(part, Branch):
                shape = tuple(item.value() for item in part.parts if isinstance(item, Leaf))
            if build or is_array:
                name = key.render()
                self.check_new(name, parts)
                parts[name] = part
        if in_hdu:
            in_hdu.shape = shape
        return parts

    def check_new(self, key: str, known: Container[str]) -> None:
        """Refuse a key that a mapping has already, or that is too long to be one in one line."""
        if key in known:
            raise ValueError(f"its ASDF tree has the key {key[:40]} twice in one place")
        if len(key) > MAX_KEY:
            raise ValueError(f"its ASDF tree has a key of {len(key)} characters")

    def source(self, event: Any, slit: Slit) -> Array | None:
        """Note where the data of a slit's array lie, and that the product counts anew."""
        place, length = event.start_mark.index, event.end_mark.index - event.start_mark.index
        if match := _IN_HDU.fullmatch(event.value):
            slit.edit(place, length, f'"fits:{match[1]},{ENTRY_MARK}"')
            slit.arrays.append(Array(match[1], int(match[2]), None))
            return slit.arrays[-1]
        slit.edit(place, length, self.block_mark(event.value, slit.blocks))
        return None

    def block_mark(self, source: str, blocks: list[int]) -> str:
        """Mark of an internal block, which joins the list of those used where it is new."""
        if not re.fullmatch(r"-?[0-9]{1,9}", source):
            raise ValueError(f"its ASDF tree has an array that lies elsewhere ({source[:40]!r})")
        number = int(source) + (self.n_blocks if source.startswith("-") else 0)
        if not 0 <= number < self.n_blocks:
            raise ValueError(f"its ASDF tree uses block {source}, but has {self.n_blocks} of them")
        if number not in blocks:
            blocks.append(number)
        return f"{BLOCK_MARK}{blocks.index(number)};"

    def rename(self, event: Any, slit: Slit | None) -> None:
        """Note that an anchor of a slit takes another name."""
        if event.anchor and slit:
            place = self.tree.text.index(f"&{event.anchor}", event.start_mark.index)
            slit.edit(place, 1 + len(event.anchor), f"&{slit.name_anchor(event.anchor)}")

    def alias(self, event: Any, slit: Slit | None, build: bool) -> Node | None:
        """Resolve an alias: within a slit by name, across slits by writing the node out."""
        if event.anchor not in self.anchors:
            raise ValueError(f"its ASDF tree has an alias without its node ({event.anchor[:40]})")
        if slit:
            place, length = event.start_mark.index, event.end_mark.index - event.start_mark.index
            if event.anchor in slit.anchors:
                slit.edit(place, length, f"*{slit.name_anchor(event.anchor)}")
            else:
                self.bounded(self.anchors[event.anchor])
                text = self.written_out(event.anchor, slit.blocks)
                slit.edit(place, length, f"&{slit.name_anchor(event.anchor)} {text}")
        return self.bounded(self.anchors[event.anchor]) if build else None

    def written_out(self, anchor: str, blocks: list[int]) -> str:
        """Text of an anchored node, which many slits may share, with marks of its blocks."""
        if anchor not in self.texts:
            used: list[int] = []
            text = self.localised(self.anchors[anchor], used).render()
            self.texts[anchor] = text, used
        text, used = self.texts[anchor]
        if not used:
            return text
        return _BLOCK_MARK.sub(lambda mark: self.block_mark(str(used[int(mark[1])]), blocks), text)

    def bounded(self, node: Node) -> Node:
        """Count a node that stands in one more place than in the text."""
        self.room -= node.size
        if self.room < 0:
            raise ValueError("its ASDF tree grows beyond all bounds through its aliases")
        return node

    def localised(self, node: Node, blocks: list[int]) -> Node:
        """Node with marks in place of the numbers of its internal blocks."""
        if isinstance(node, Leaf):
            return node
        if isinstance(node.parts, list):
            return Branch([self.localised(part, blocks) for part in node.parts], node.tag)
        parts = {key: self.localised(part, blocks) for key, part in node.parts.items()}
        if node.tag and node.tag.startswith(NDARRAY) and isinstance(parts.get("source"), Leaf):
            parts["source"] = Leaf(self.block_mark(parts["source"].text, blocks))
        return Branch(parts, node.tag)
