"""The ASDF tree of an exposure, taken apart slit by slit without building its objects.

The YAML is read once, as libyaml's events. A slit's text stays where it is in the file. The changes
for a product are recorded as replacements in that text (see `template`), so that the result is
self-contained and does not depend on the slit's position in its exposure: anchors that other slits
defined are written out, arrays in HDUs and internal blocks are renumbered, and the exposure's
metadata is merged over the slit's, as in ``exp_to_source`` of the jwst package.

This works only for documents in asdf's layout; `normalise` rewrites others.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from ..errors import InputError
from ..formats.template import META_PLACEHOLDER, TYPE_PLACEHOLDER, Replacement
from .nodes import Collection, Node, Scalar, SlitTree, at, has_extra_keys, mapping, merge
from .reader import NOT_BUILT, NodeReader, UnusualLayoutError
from .repeated import Cut, find_cuts

TAGS = {"!": "tag:stsci.edu:asdf/"}

#: Entry metadata that stays the slit's own when the exposure's is merged over it.
SLIT_KEYS = frozenset({"bunit_data", "bunit_err", "model_type", "photometry", "wcs", "wcsinfo"})

#: Entry metadata that is removed from a slit's text, as products write it themselves.
PRODUCT_KEYS = frozenset({"asn", "filename"})

#: YAML's spellings of null.
NULLS = frozenset(("", "~", "null", "Null", "NULL"))
NULL_TAG = "tag:yaml.org,2002:null"

#: A mapping whose keys, which have no values, are its members.
SET_TAG = "tag:yaml.org,2002:set"


#: What replacements of a WCS replace: the name of an anchor or alias, the number of a block.
_TOKEN = re.compile(r"[&*]?[\w.+-]+", re.ASCII)


@dataclass(slots=True)
class Tree:
    """Content of the document: the exposure as a whole, and each slit."""

    text: str  #: the document
    #: Its top level without the slits: meta, cal_logs, history, asdf_library, _fits_hash.
    root: Collection = field(default_factory=Collection)
    #: The metadata that every entry takes from the exposure: key to YAML text, with marks.
    exposure_metadata: dict[str, str] = field(default_factory=dict)
    slits: list[SlitTree] = field(default_factory=list)
    tags: Iterable[str] = ()  #: all that are in the document

    @property
    def meta(self) -> Node:
        """The exposure's metadata."""
        return mapping(self.root)["meta"]


def parse(text: str, path: str, block_sizes: Sequence[int | None]) -> Tree:
    """Read a document laid out as asdf writes it; others raise UnusualLayoutError.

    `block_sizes` are the bytes of the arrays in the internal blocks after the document (None for
    compressed ones), and `path` names the exposure in messages.
    """
    try:
        if cuts := list(find_cuts(text)):
            try:
                return _Parser(text, cuts, block_sizes).document()
            except (UnusualLayoutError, ValueError, yaml.YAMLError):
                # Something only looks like metadata, or is at fault: nothing is left out.
                pass
        return _Parser(text, [], block_sizes).document()
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        line = f" at its line {mark.line + 1}" if mark else ""
        what = f"is damaged{line} ({problem or 'not valid YAML'})"
        raise InputError(f"{path}: the ASDF tree {what}; get the file again") from None
    except ValueError as error:
        raise InputError(f"{path}: {error}; correct it, or get the file again") from None


def check_nulls(node: Node) -> None:
    """Check that no key of a mapping is without a value: asdf writes none, and drops those."""
    if isinstance(node, Scalar):
        if node.tag == NULL_TAG or (node.text in NULLS and node.plain and not node.tag):
            raise UnusualLayoutError
    elif isinstance(node.content, dict) and node.tag != SET_TAG:
        for key, value in node.content.items():
            if key != "wcs":
                check_nulls(value)


class _Item(NamedTuple):
    """An item of a slit's metadata that was read; offsets are in the document."""

    end: int
    node: Node
    new: str | None  #: text that replaces it in products; None if it stays
    replacements: list[Replacement]  #: in its text


class _Parser(NodeReader):
    """One pass over the events of a document, without its cuts."""

    def __init__(self, text: str, cuts: list[Cut], block_sizes: Sequence[int | None]) -> None:
        ends = [0, *(cut.end for cut in cuts)]
        starts = [*(cut.start for cut in cuts), len(text)]
        pieces = (text[end:start] for end, start in zip(ends, starts, strict=True))
        super().__init__("".join(pieces), block_sizes)
        self.cuts = {cut.start: cut for cut in cuts}
        #: Items that cuts are like, by their starts; those that were not read yet are None.
        self.models: dict[int, _Item | None] = {cut.model[0]: None for cut in cuts}
        self.tree = Tree(text, tags=self.tags)
        self.exposure_blocks: list[int] = []
        #: The nodes of the tree's `exposure_metadata`.
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
                node = mapping(self.tree.root)[key] = self.node(self.next(), None, True)
                if key == "meta":
                    check_nulls(node)
                    self.share_meta()
                else:
                    self.check_no_arrays(node)
            elif key:
                self.node(self.next(), None, False)
        ends = self.next(), self.next()
        if tuple(map(type, ends)) != (yaml.DocumentEndEvent, yaml.StreamEndEvent):
            raise ValueError("its ASDF tree is followed by another document")
        if not self.tree.slits:
            raise ValueError("its ASDF tree has no slits: not a MultiSlitModel with data")
        if self.cuts:
            raise UnusualLayoutError
        return self.tree

    def share_meta(self) -> None:
        """Render the metadata that all entries of the exposure have in common."""
        for key, node in mapping(self.tree.meta).items():
            if key in SLIT_KEYS | PRODUCT_KEYS:
                continue
            if key == "exposure" and (isinstance(node, Scalar) or at(node, "type")):
                node = merge(node, Collection({"type": Scalar(TYPE_PLACEHOLDER)}))
            self.shared[key] = node
            text = self.with_block_placeholders(node, self.exposure_blocks).render()
            self.tree.exposure_metadata[key] = text

    def check_no_arrays(self, node: Node) -> None:
        """Check that there are no arrays where blocks are not copied with a slit."""
        blocks: list[int] = []
        self.with_block_placeholders(node, blocks)
        if blocks:
            raise ValueError("its ASDF tree has arrays that are neither metadata nor a slit's")

    def slits(self) -> None:
        if not self.tree.exposure_metadata:
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
            line = self.line(event)
            if slits:
                slits[-1].end = line
            if isinstance(event, yaml.SequenceEndEvent):
                return
            if not self.tree.text.startswith("- ", line):
                raise UnusualLayoutError
            slits.append(SlitTree(line, list(self.exposure_blocks), len(slits) + 1))
            # Count each slit separately: a product holds only the text of its own slits.
            self.remaining_budget = self.slit_budget
            self.slit(event, slits[-1])

    def slit(self, event: Any, slit: SlitTree) -> None:
        if not isinstance(event, yaml.AliasEvent):
            self.properties(event, slit)
        content: dict[str, Node] = {}
        for key, _ in self.keys(event, 2):
            if key == "meta":
                content[key] = self.slit_meta(slit)
            elif key:
                slit.key = key
                content[key] = self.node(self.next(), slit, True)
                check_nulls(content[key])
        if "meta" not in content:
            raise UnusualLayoutError
        slit.node = Collection(content)

    def slit_meta(self, slit: SlitTree) -> Collection:
        """Read a slit's metadata, and record how the exposure's is merged over it."""
        start = self.next()
        if not isinstance(start, yaml.AliasEvent):
            self.properties(start, slit)
        if getattr(start, "flow_style", False):
            # Only an empty mapping is in this style; the exposure's metadata replaces it.
            if not isinstance(end := self.next(), yaml.MappingEndEvent):
                raise UnusualLayoutError
            slit.replace(*self.span(start, end), f"\n{META_PLACEHOLDER}")
            return Collection()
        content: dict[str, Node] = {}
        keys = self.keys(start, 4)
        key, line = next(keys)
        slit.replace(line, 0, META_PLACEHOLDER)
        while True:
            while cut := self.cuts.pop(line, None):
                self.check_new(cut.key, content)
                content[cut.key] = self.repeat(cut, slit)
                self.omitted += cut.end - cut.start
                line = cut.end
            self.check_new(key, content)
            if not key:
                return Collection(content)
            count, new = len(slit.replacements), None
            if key in PRODUCT_KEYS:
                node, new = self.node(self.next(), None, True), ""
            elif key in self.shared:
                node = self.node(self.next(), None, True)
                new = self.merge_exposure(key, node, slit)
            else:
                node = self.node(self.next(), slit, key != "wcs")
            if key != "wcs":
                check_nulls(node)
            content[key] = node
            first, (key, line) = line, next(keys)
            if first in self.models:
                inside = slit.replacements[count:]
                inside = [(slit.start + offset, length, text) for offset, length, text in inside]
                self.models[first] = _Item(line, node, new, inside)
            if new is not None:
                slit.replace(first, line - first, new)

    def repeat(self, cut: Cut, slit: SlitTree) -> Node:
        """Record the replacements in an item that is like an earlier slit's, and return its node.

        The names of anchors and aliases must vary alike, and blocks have the size of the earlier.
        """
        item, text = self.models[cut.model[0]], self.tree.text
        if item is None or item.end != cut.model[1]:
            raise UnusualLayoutError
        if item.new is not None:
            new = self.merge_exposure(cut.key, item.node, slit) if item.new else ""
            slit.replace(cut.start, cut.end - cut.start, new)
        names: dict[str, str] = {}
        for offset, length, new in item.replacements:
            start, old = cut.locate(offset), text[offset : offset + length]
            found = _TOKEN.match(text, start)
            own = found[0] if found and old else ""
            if old.startswith("&"):
                names[old[1:]] = own[1:]
                self.add_anchor(own[1:], NOT_BUILT)
                new = f"&{slit.rename_anchor(own[1:])}"
            elif old.startswith("*"):
                if own[1:] != names.get(old[1:], old[1:]):
                    raise UnusualLayoutError
                new = self.alias_text(own[1:], slit)
            elif old:
                sizes = {self.block_sizes[self.block_number(source)] for source in (old, own)}
                if len(sizes) > 1:
                    raise UnusualLayoutError
                new = self.block_mark(own, slit.blocks)
            slit.replace(start, len(own), new)
        return item.node

    def merge_exposure(self, key: str, node: Node, slit: SlitTree) -> str:
        """Return the line of metadata for a key of slit and exposure; empty if it adds nothing."""
        shared = self.shared[key]
        if not has_extra_keys(node, shared):
            return ""
        slit.overrides.append(key)
        merged = self.with_block_placeholders(self.charge_node(merge(node, shared)), slit.blocks)
        return self.charge_text(f"    {key}: {merged.render()}\n")

    def keys(self, start: Any, column: int) -> Iterator[tuple[str, int]]:
        """Yield keys of a block mapping and the offsets of their lines; finally "" and the end.

        Read the value of each key before requesting the next key.
        """
        if not isinstance(start, yaml.MappingStartEvent | yaml.AliasEvent):
            raise ValueError("its ASDF tree is not built as a MultiSlitModel's")
        if isinstance(start, yaml.AliasEvent) or start.flow_style:
            raise UnusualLayoutError
        previous: set[str] = set()
        while True:
            event = self.next()
            line = self.line(event)
            if isinstance(event, yaml.MappingEndEvent):
                yield "", line
                return
            if event.start_mark.column != column or not isinstance(event, yaml.ScalarEvent):
                raise UnusualLayoutError
            if event.anchor or not event.value:
                raise UnusualLayoutError
            self.check_new(event.value, previous)
            previous.add(event.value)
            yield event.value, line
