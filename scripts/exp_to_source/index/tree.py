"""The ASDF tree of an exposure, taken apart slit by slit without building its objects.

The YAML is read once, as libyaml's events. A slit's text stays where it is in the file. The changes
for a product are recorded as replacements in that text (see `template`), so that the result is
self-contained and does not depend on the slit's position in its exposure: anchors that other slits
defined are written out, arrays in HDUs and internal blocks are renumbered, and the exposure's
metadata is merged over the slit's, as in ``exp_to_source`` of the jwst package.

This works only for documents in asdf's layout; `normalise` rewrites others.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..errors import InputError
from ..formats.template import META_PLACEHOLDER, TYPE_PLACEHOLDER
from .nodes import Collection, Node, Scalar, SlitTree, at, has_extra_keys, mapping, merge
from .reader import NodeReader, UnusualLayoutError, span
from .repeated import ReducedText

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
    reduced = ReducedText(text, SLIT_KEYS | PRODUCT_KEYS)
    try:
        try:
            return _Parser(text, reduced, block_sizes).document()
        except UnusualLayoutError:
            if not reduced.cuts:
                raise
        # Some text looks like metadata: nothing is left out.
        reduced = ReducedText(text)
        return _Parser(text, reduced, block_sizes).document()
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        number = text.count("\n", 0, reduced.original(mark.index)) + 1 if mark else 0
        line = f" at its line {number}" if mark else ""
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


class _Parser(NodeReader):
    """One pass over the events of a document."""

    def __init__(self, text: str, reduced: ReducedText, block_sizes: Sequence[int | None]) -> None:
        super().__init__(reduced.text, block_sizes)
        self.reduced = reduced
        self.unread_cuts = dict(reduced.cuts)
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
        if self.unread_cuts:
            raise UnusualLayoutError
        for slit in self.tree.slits:
            self.reduced.restore(slit)
        return self.tree

    def share_meta(self) -> None:
        """Render the metadata that all entries of the exposure have in common."""
        if not self.reduced.fits(mapping(self.tree.meta)):
            raise UnusualLayoutError
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
            line = event.start_mark.index - event.start_mark.column
            if slits:
                slits[-1].end = line
            if isinstance(event, yaml.SequenceEndEvent):
                return
            if not self.text.startswith("- ", line):
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
            slit.replace(*span(start, end), f"\n{META_PLACEHOLDER}")
            return Collection()
        content: dict[str, Node] = {}
        replaced: tuple[int, str] | None = None
        first = True
        for key, line in self.keys(start, 4):
            if cut := self.unread_cuts.pop(line, None):
                for repeated in cut.keys:
                    self.check_new(repeated, content)
                    content[repeated] = mapping(self.tree.meta)[repeated]
            self.check_new(key, content)
            if first:
                slit.replace(line, 0, META_PLACEHOLDER)
                first = False
            if replaced:
                slit.replace(replaced[0], line - replaced[0], replaced[1])
                replaced = None
            if not key:
                break
            if key in PRODUCT_KEYS:
                content[key] = self.node(self.next(), None, True)
                replaced = line, ""
            elif key in self.shared:
                content[key] = self.node(self.next(), None, True)
                replaced = line, self.merge_exposure(key, content[key], slit)
            else:
                content[key] = self.node(self.next(), slit, key != "wcs")
            if key != "wcs":
                check_nulls(content[key])
        return Collection(content)

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
            line = event.start_mark.index - event.start_mark.column
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
