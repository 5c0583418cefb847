"""Read ASDF trees for verification, from the events of PyYAML."""

import hashlib
import re
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from ..errors import InputError

#: Key of the tag of a tagged node; a node that is not a mapping has its content under "".
TAG = "!"

#: Tags that version 1.6.0 of the ASDF standard renamed, with nothing else changed: products of
#: exposures of this and an older version have the new names.
RENAMED = {
    f"tag:stsci.edu:asdf/{old}": f"tag:stsci.edu:asdf/{new}"
    for old, new in (
        ("core/column-1.0.0", "table/column-1.1.0"),
        ("core/integer-1.0.0", "core/integer-1.1.0"),
        ("core/ndarray-1.0.0", "core/ndarray-1.1.0"),
        ("core/table-1.0.0", "table/table-1.1.0"),
        ("fits/fits-1.0.0", "fits/fits-1.1.0"),
        ("time/time-1.1.0", "time/time-1.2.0"),
        ("unit/quantity-1.1.0", "unit/quantity-1.2.0"),
    )
}

#: Prefix of the tags that YAML itself defines.
YAML_TAG = "tag:yaml.org,2002:"

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CONSTRUCTOR = yaml.constructor.SafeConstructor()

_NATIVE = frozenset(f"{YAML_TAG}{name}" for name in ("bool", "float", "int", "null", "timestamp"))
_SET = f"{YAML_TAG}set"
_BLOCK_MAGIC = b"\xd3BLK"
_BLOCK_HEADER = struct.Struct(">I4sQQQ16s")
_RESOLVER = yaml.resolver.Resolver()


class Digest(str):
    """Digest of content: digests are equal if and only if the content is."""

    __slots__ = ()


class HduReference(NamedTuple):
    """Array of a tree that is in an HDU."""

    name: str
    version: int


def compute_digest(*parts: bytes | memoryview) -> Digest:
    """Compute the digest of bytes."""
    content = hashlib.sha256()
    for part in parts:
        content.update(part)
    return Digest(content.hexdigest()[:32])


def canonical_text(node: Any) -> str:
    """Format a node: texts are equal if and only if the nodes are.

    The order of mappings is ignored, and so is the EXTVER of arrays in HDUs.
    """
    if isinstance(node, Digest):
        return node
    if isinstance(node, HduReference):
        return f"plane {node.name}"
    if isinstance(node, dict):
        items = node.items()
        pairs = sorted(f"{canonical_text(key)}: {canonical_text(value)}" for key, value in items)
        return compute_digest("\n".join(("mapping", *pairs)).encode())
    if isinstance(node, list):
        return compute_digest("\n".join(("sequence", *map(canonical_text, node))).encode())
    return f"{type(node).__name__} {node!r}"


def get_node(tree: Any, path: str) -> Any:
    """Get part of a tree by its path with dots, or None."""
    for key in path.split("."):
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def read_tree(path: str, content: bytes) -> dict[Any, Any]:
    """Read the tree of an ASDF file.

    In the tree, internal arrays are replaced by the digest of their block, arrays in HDUs by an
    `HduReference`, and each ``wcs`` by its digest.
    """
    end = find_tree_end(content)
    if not content.startswith(b"#ASDF") or not end:
        raise InputError(f"{path}: its ASDF extension holds no ASDF tree")
    blocks = [digest for _, digest in read_blocks(path, content, end)]
    reader = _TreeReader(content[:end], blocks)
    try:
        tree = reader.read_document()
    except (yaml.YAMLError, ValueError, TypeError, LookupError, RecursionError) as error:
        problem = getattr(error, "problem", None) or first_sentence(error)
        raise InputError(f"{path}: damaged ASDF tree ({problem})") from None
    if not isinstance(tree, dict):
        raise InputError(f"{path}: damaged ASDF tree (not a mapping)")
    return tree


def find_tree_end(content: bytes) -> int:
    """Find the end of the tree in the content of an ASDF file; 0 if it has none."""
    end = re.search(rb"\n\.\.\.\r?\n", content)
    return end.end() if end else 0


def read_blocks(path: str, content: bytes, start: int) -> Iterator[tuple[bytes, Digest]]:
    """Read the internal blocks, in the layout of the ASDF standard: whole, and their digests."""
    start = content.find(_BLOCK_MAGIC, start)
    view = memoryview(content)
    while start >= 0 and view[start : start + 4] == _BLOCK_MAGIC:
        header = int.from_bytes(view[start + 4 : start + 6])
        try:
            _, packing, allocated, size, length, md5 = _BLOCK_HEADER.unpack_from(view, start + 6)
        except struct.error:
            raise InputError(f"{path}: a block of its ASDF extension is truncated") from None
        first, start = start, start + 6 + header
        block = view[start : start + size]
        whole = len(block) == size and (packing != bytes(4) or size == length)
        if not whole or md5 not in (bytes(16), hashlib.md5(block, usedforsecurity=False).digest()):
            raise InputError(f"{path}: a block of its ASDF extension is damaged")
        digest = compute_digest(packing, block)
        start += allocated
        yield content[first:start], digest


class _TreeReader:
    """Builds the tree from the events of a YAML document.

    A WCS, which is most of the text, is never held as nodes: each of its collections becomes a
    digest as soon as it ends, and aliases refer to this digest.
    """

    def __init__(self, text: bytes, blocks: list[Digest]) -> None:
        self.events = yaml.parse(text, Loader=LOADER)
        self.blocks = blocks
        self.anchors: dict[str | None, Any] = {}
        #: Values of scalars by tag, text and style: most recur in each slit.
        self.scalars: dict[tuple[str | None, str, tuple[bool, bool]], Any] = {}

    def read_document(self) -> Any:
        """Read the first document to its end."""
        for event in self.events:
            if isinstance(event, yaml.NodeEvent):
                root = self.read_node(event)
                for _ in self.events:
                    pass
                return root
        raise ValueError("no document")

    def read_node(self, event: Any, folded: bool = False) -> Any:
        """Read the node that begins with an event; return its digest if it is `folded`."""
        if isinstance(event, yaml.AliasEvent):
            return self.anchors[event.anchor]
        if isinstance(event, yaml.ScalarEvent):
            node = self.read_scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = []
            while not isinstance(part := next(self.events), yaml.SequenceEndEvent):
                node.append(self.read_node(part, folded))
            node = _add_tag(event, node)
        else:
            node = {}
            while not isinstance(part := next(self.events), yaml.MappingEndEvent):
                key = self.read_node(part)
                value = self.read_node(next(self.events), folded or key == "wcs")
                # As asdf does, which neither reads nor writes them; a WCS may have them.
                if value is not None or folded or event.tag == _SET:
                    node[key] = value
            if event.tag and "/core/ndarray-" in event.tag:
                node["source"] = self.resolve_source(node.get("source"))
            node = _add_tag(event, node)
        if folded and isinstance(node, (dict, list)):
            node = Digest(canonical_text(node))
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def read_scalar(self, event: yaml.ScalarEvent) -> Any:
        """Convert a scalar to a value of Python, if YAML defines its tag."""
        if event.tag and not event.tag.startswith(YAML_TAG):
            return _add_tag(event, event.value)
        key = event.tag, event.value, event.implicit
        if key not in self.scalars:
            tag = event.tag or _RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit)
            self.scalars[key] = (
                CONSTRUCTOR.construct_document(yaml.ScalarNode(tag, event.value))
                if tag in _NATIVE
                else event.value
            )
        return self.scalars[key]

    def resolve_source(self, source: Any) -> Any:
        """Replace the number of a block by its digest, the text of an HDU by a reference."""
        if isinstance(source, int):
            return self.blocks[source]
        match = re.fullmatch(r"fits:(.+),([0-9]+)", str(source))
        return HduReference(match[1], int(match[2])) if match else source


def _add_tag(event: yaml.ScalarEvent | yaml.CollectionStartEvent, node: Any) -> Any:
    if not event.tag:
        return node
    tag = RENAMED.get(event.tag, event.tag)
    return {TAG: tag} | (node if isinstance(node, dict) else {"": node})


def first_sentence(error: BaseException) -> str:
    """Get the first sentence of an error's message, or its type if the message is empty."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].split(". ")[0]
