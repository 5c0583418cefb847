"""The ASDF tree of an exposure, taken apart slit by slit without building its objects.

The YAML is read once, as libyaml's events. A slit's text stays where it is in the file. The changes
for a product are recorded as edits of that text (see `fragments`), so that the result is
self-contained and does not depend on the slit's position in its exposure: anchors that other slits
defined are written out, arrays in HDUs and internal blocks are renumbered, and the exposure's
metadata is merged over the slit's, as in ``exp_to_source`` of the jwst package.

This works only for documents in asdf's layout; `normalise` rewrites others.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..errors import InputError
from ..formats.template import META_PLACEHOLDER, TYPE_PLACEHOLDER
from .nodes import Branch, Leaf, Node, adds, at, mapping, merge
from .reader import NodeReader, UnusualLayoutError
from .slit import Slit

TAGS = {"!": "tag:stsci.edu:asdf/"}

#: Entry metadata that stays the slit's own when the exposure's is merged over it.
SLIT_KEYS = frozenset({"bunit_data", "bunit_err", "model_type", "photometry", "wcs", "wcsinfo"})

#: Entry metadata that is removed from a slit's text, as products write it themselves.
GIVEN_KEYS = frozenset({"asn", "filename"})

#: YAML's spellings of null.
NULLS = frozenset(("", "~", "null", "Null", "NULL"))
NULL_TAG = "tag:yaml.org,2002:null"

#: A mapping of keys without values, which are what it holds.
SET_TAG = "tag:yaml.org,2002:set"


@dataclass(slots=True)
class Tree:
    """Content of the document: the exposure as a whole, and each slit.

    Attributes
    ----------
    text : str
        The document.
    top : Branch
        From its top level without the slits: ``meta``, ``cal_logs``, ``history``, ``asdf_library``
        and ``_fits_hash``.
    common : dict of str
        The metadata that every entry takes from the exposure: key to YAML text, with marks.
    slits : list of Slit
        In their order.
    tags : collection of str
        All tags in the document.
    """

    text: str
    top: Branch = field(default_factory=Branch)
    common: dict[str, str] = field(default_factory=dict)
    slits: list[Slit] = field(default_factory=list)
    tags: Collection[str] = ()

    @property
    def meta(self) -> Node:
        """The exposure's metadata."""
        return mapping(self.top)["meta"]


def parse(text: str, path: str, rooms: Sequence[int | None]) -> Tree:
    """Read a document laid out as asdf writes it.

    Parameters
    ----------
    text : str
        The YAML document.
    path : str
        Name of the exposure, for messages.
    rooms : sequence of int or None
        Bytes of the arrays in the internal blocks after the document; None for compressed ones.

    Raises
    ------
    InputError
        If it is damaged, or is not the tree of a MultiSlitModel.
    UnusualLayoutError
        If it has to be normalised first.
    """
    try:
        return _Parser(text, rooms).document()
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        line = f" at its line {mark.line + 1}" if mark else ""
        what = f"is damaged{line} ({problem or 'not valid YAML'})"
        raise InputError(f"{path}: the ASDF tree {what}; get the file again") from None
    except ValueError as error:
        raise InputError(f"{path}: {error}; correct it, or get the file again") from None


def refuse_nulls(node: Node) -> None:
    """Refuse mappings with a key that has no value: asdf writes none, and drops those it reads."""
    if isinstance(node, Leaf):
        if node.tag == NULL_TAG or (node.text in NULLS and node.plain and not node.tag):
            raise UnusualLayoutError
    elif isinstance(node.parts, dict) and node.tag != SET_TAG:
        for key, part in node.parts.items():
            if key != "wcs":
                refuse_nulls(part)


class _Parser(NodeReader):
    """One pass over the events of a document; raises ValueError if it cannot read one."""

    def __init__(self, text: str, rooms: Sequence[int | None]) -> None:
        super().__init__(text, rooms)
        self.tree = Tree(text, tags=self.tags)
        self.meta_blocks: list[int] = []
        self.shared: dict[str, Node] = {}

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
                node = mapping(self.tree.top)[key] = self.node(self.next(), None, True)
                if key == "meta":
                    refuse_nulls(node)
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
            if key == "exposure" and (isinstance(node, Leaf) or at(node, "type")):
                node = merge(node, Branch({"type": Leaf(TYPE_PLACEHOLDER)}))
            self.shared[key] = node
            self.tree.common[key] = self.localised(node, self.meta_blocks).render()

    def refuse_arrays(self, node: Node) -> None:
        """Refuse arrays in parts of the tree whose blocks are not copied with a slit."""
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
            if not self.text.startswith("- ", line):
                raise UnusualLayoutError
            slits.append(Slit(line, list(self.meta_blocks), number=len(slits) + 1))
            # Count each slit separately: a product holds only the text of its own slits.
            self.room = self.slit_room
            self.slit(event, slits[-1])

    def slit(self, event: Any, slit: Slit) -> None:
        if not isinstance(event, yaml.AliasEvent):
            self.properties(event, slit)
        parts: dict[str, Node] = {}
        for key, _ in self.keys(event, 2):
            if key == "meta":
                parts[key] = self.slit_meta(slit)
            elif key:
                slit.key = key
                parts[key] = self.node(self.next(), slit, True)
                refuse_nulls(parts[key])
        if "meta" not in parts:
            raise UnusualLayoutError
        slit.node = Branch(parts)

    def slit_meta(self, slit: Slit) -> Branch:
        """Read a slit's metadata, and record how the exposure's is merged over it."""
        start = self.next()
        if not isinstance(start, yaml.AliasEvent):
            self.properties(start, slit)
        if getattr(start, "flow_style", False):
            return self.empty_meta(start, slit)
        parts: dict[str, Node] = {}
        replaced: tuple[int, str] | None = None
        first = True
        for key, line in self.keys(start, 4):
            if first:
                slit.edit(line, 0, META_PLACEHOLDER)
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
                parts[key] = self.node(self.next(), slit, key != "wcs") or Leaf("(WCS)")
            if key != "wcs":
                refuse_nulls(parts[key])
        return Branch(parts)

    def empty_meta(self, start: Any, slit: Slit) -> Branch:
        """Replace a slit's ``{}`` by the exposure's metadata."""
        end = self.next()
        place, length = start.start_mark.index, end.end_mark.index - start.start_mark.index
        if not isinstance(end, yaml.MappingEndEvent):
            raise UnusualLayoutError
        slit.edit(place, length, f"\n{META_PLACEHOLDER}")
        return Branch()

    def merged(self, key: str, own: Node, slit: Slit) -> str:
        """Line of metadata for a key that slit and exposure have; empty if nothing is added."""
        common = self.shared[key]
        if not adds(own, common):
            return ""
        slit.own.append(key)
        node = self.bounded(merge(own, common))
        return self.kept(f"    {key}: {self.localised(node, slit.blocks).render()}\n")

    def keys(self, start: Any, column: int) -> Iterator[tuple[str, int]]:
        """Keys of a block mapping and the offsets of their lines; finally "" and the end offset.

        Read the value of each key before requesting the next key.
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
