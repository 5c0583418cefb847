"""Documents in the layout of asdf, at the level of YAML's node graph.

Few exposures need it: those with another layout, or with headers that were edited after the tree
was written. For the latter, stdatamodels uses the values of the headers (it compares ``_fits_hash``
with the headers) if its schema accepts them, and so does this module. Unknown tags and values stay,
including those of old libraries.
"""

from typing import Any, NamedTuple

import yaml

from ..errors import InputError
from ..formats.cards import Value
from .datatypes import find_cast, product_datatype
from .fitsfile import HDU
from .keywords import Keyword, accepts, table
from .reader import MAX_DEPTH, NDARRAY, Loader
from .tree import SET_TAG, TAGS

Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
MAPPING, SEQUENCE, STRING, NULL = (f"tag:yaml.org,2002:{n}" for n in ("map", "seq", "str", "null"))

_REPRESENTER = yaml.representer.SafeRepresenter()


class RejectedKeyword(NamedTuple):
    """A keyword of a header whose value the schema does not accept."""

    hdu: tuple[str, int]
    keyword: Keyword
    value: Value  #: None if the card has no value
    card: str  #: if it does not follow the FITS standard


class NormalisedTree(NamedTuple):
    """A tree that was rewritten."""

    text: str  #: the same tree, in the layout that `tree.parse` expects
    rejected: list[RejectedKeyword]  #: values of headers not accepted: the tree keeps its own
    dropped: list[str]  #: keys that had no value, and were left out
    edited: bool  #: whether the headers' values were used


def normalise(text: str, path: str, hdus: list[HDU], digest: str) -> NormalisedTree:
    """Rewrite a tree, with the values of the headers if these were edited.

    If `digest`, that of the headers, equals the tree's `_fits_hash`, the tree's values are used.
    """
    try:
        check_depth(text)
        root = yaml.compose(text, Loader=Loader)
    except (yaml.YAMLError, ValueError) as error:
        what = getattr(error, "problem", None) or error
        raise InputError(f"{path}: damaged ASDF tree ({what}); get the file again") from None
    try:
        return _rewrite(root, hdus, digest)
    except ValueError as error:
        raise InputError(f"{path}: {error}; correct it, or get the file again") from None


def _rewrite(root: yaml.Node | None, hdus: list[HDU], digest: str) -> NormalisedTree:
    if isinstance(root, yaml.MappingNode):
        _spell_nulls(root)
        dropped = _drop_keys(root)
    meta, slits = _get(root, "meta"), _get(root, "slits")
    if not (
        isinstance(root, yaml.MappingNode)
        and isinstance(meta, yaml.MappingNode)
        and isinstance(slits, yaml.SequenceNode)
        and slits.value
    ):
        raise ValueError("its ASDF tree has no meta or no slits, so it is not a MultiSlitModel")
    stated = _get(root, "_fits_hash")
    edited = stated is None or stated.value != digest
    by_name = {(hdu.name, hdu.version): hdu for hdu in reversed(hdus)}
    rejected: dict[tuple[tuple[str, int], str], RejectedKeyword] = {}

    def apply_header(node: yaml.MappingNode, keywords: list[Keyword], version: int) -> None:
        for keyword in keywords if edited else ():
            key, name = (keyword.hdu, version), keyword.name
            if (hdu := by_name.get(key)) is None:
                continue
            value, card = hdu.header.get(name), hdu.header.invalid.get(name, "")
            if name in hdu.header and accepts(keyword, value):
                _put(node, keyword.path.split("."), value)
            elif name in hdu.header or card:
                rejected.setdefault((key, name), RejectedKeyword(key, keyword, value, card))

    root = _copy(root)
    root.value.sort(key=lambda pair: pair[0].value == "slits")
    slits = yaml.SequenceNode(slits.tag, list(slits.value), flow_style=False)
    for number, node in enumerate(slits.value):
        slit = slits.value[number] = _copy(node)
        _set(slit, "meta", _copy(_get(slit, "meta") or yaml.MappingNode(MAPPING, [])))
        apply_header(slit, table().entry, number + 1)
        images = [hdu for name in table().images if (hdu := by_name.get((name, number + 1)))]
        _describe_images(slit, images, edited)
    _set(root, "slits", slits)
    _set(root, "meta", _copy(meta))
    apply_header(root, table().product, 1)
    options = {"explicit_start": True, "explicit_end": True, "allow_unicode": True}
    text = _serialize(root, version=(1, 1), tags=TAGS, **options)
    return NormalisedTree(text, list(rejected.values()), dropped, edited)


def check_depth(text: str) -> None:
    """Check that a document is not nested so deeply that libyaml would crash when composing it."""
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")


def _spell_nulls(root: yaml.Node) -> None:
    """Write empty nulls as ``null``, as some would be serialised as empty strings."""
    todo, seen = [root], set()
    while todo:
        node = todo.pop()
        if isinstance(node, yaml.ScalarNode):
            if not node.value and node.tag == NULL:
                node.value = "null"
        elif id(node) not in seen:
            seen.add(id(node))
            for item in node.value:
                todo += item if isinstance(item, tuple) else (item,)


def _drop_keys(root: yaml.Node) -> list[str]:
    """Leave out keys without a value, as asdf does when it writes, and repeated ones.

    A WCS may have keys without a value.
    """
    dropped: set[str] = set()
    todo, seen = [(root, False)], set()
    while todo:
        node, is_wcs = todo.pop()
        if id(node) in seen or isinstance(node, yaml.ScalarNode) or node.tag == SET_TAG:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            if not is_wcs:
                dropped.update(str(key.value) for key, value in node.value if value.tag == NULL)
                node.value = [pair for pair in node.value if pair[1].tag != NULL]
            node.value = _unique(node.value)
            todo += ((value, is_wcs or key.value == "wcs") for key, value in node.value)
        else:
            todo += ((item, is_wcs) for item in node.value)
    return sorted(dropped)


def _serialize(node: yaml.Node, **options: Any) -> str:
    return str(yaml.serialize(node, Dumper=Dumper, **options))


def _unique(pairs: list[tuple[yaml.Node, yaml.Node]]) -> list[tuple[yaml.Node, yaml.Node]]:
    """Leave out repeated keys, which must have equal values."""
    first: dict[tuple[str, str], tuple[yaml.Node, yaml.Node]] = {}
    for key, value in pairs:
        name = key.value if isinstance(key, yaml.ScalarNode) else _serialize(key)
        _, other = first.setdefault((key.tag, name), (key, value))
        if other is not value and _serialize(value) != _serialize(other):
            raise ValueError(f"its ASDF tree has the key {key.value!s:.40} twice in one place")
    return list(first.values())


def _describe_images(slit: yaml.MappingNode, hdus: list[HDU], edited: bool) -> None:
    """Describe the images of a slit as products have them: those that are cast; if edited, all.

    It is an error if one of several images of equal shape was given another shape.
    """
    tags = [node.tag for _, node in slit.value if node.tag.startswith(NDARRAY)]
    changed = False
    for hdu in hdus:
        key = table().images[hdu.name].key
        array = _get(slit, key)
        if not hdu.shape or not tags or not (edited or (array and find_cast(hdu))):
            continue
        old = _get(array, "shape")
        shape = _REPRESENTER.represent_sequence(SEQUENCE, hdu.shape, flow_style=True)
        changed |= edited and old is not None and _texts(old) != _texts(shape)
        datatype = product_datatype(hdu)
        description = {"source": f"fits:{hdu}", "datatype": datatype, "byteorder": "big"}
        node = _REPRESENTER.represent_mapping(tags[0], description)
        node.value.append((yaml.ScalarNode(STRING, "shape"), shape if edited or not old else old))
        _set(slit, key, node)
    shapes = {hdu.shape: hdu for hdu in hdus if hdu.shape}
    if changed and len(shapes) > 1:
        texts = (f"{hdu} {list(shape)}" for shape, hdu in shapes.items())
        raise ValueError(f"images of one slit have different shapes ({', '.join(texts):.120})")


def _texts(node: yaml.Node) -> list[str]:
    """Return the texts of a sequence of scalars."""
    items = node.value if isinstance(node, yaml.SequenceNode) else [node]
    return [str(item.value) for item in items]


def _put(node: yaml.MappingNode, path: list[str], value: Value) -> None:
    """Set a scalar, without changing other parts of the tree that share its parents."""
    *parents, last = path
    for key in parents:
        parent = _copy(_get(node, key) or yaml.MappingNode(MAPPING, []), None)
        _set(node, key, parent)
        node = parent
    _set(node, last, _REPRESENTER.represent_data(value))


def _copy(node: yaml.Node, flow_style: bool | None = False) -> yaml.MappingNode:
    """Copy a mapping node, so that no other part of the tree shares it; None keeps its style."""
    if not isinstance(node, yaml.MappingNode):
        raise ValueError("its ASDF tree is not built as a MultiSlitModel's")
    if flow_style is None:
        flow_style = node.flow_style
    return yaml.MappingNode(node.tag, list(node.value), flow_style=flow_style)


def _get(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """Return the value of a key of a mapping node, or None, also if it is another node."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _set(node: yaml.MappingNode, key: str, value: yaml.Node) -> None:
    """Set the value of a key of a mapping node."""
    for number, (name, _) in enumerate(node.value):
        if name.value == key:
            node.value[number] = (name, value)
            return
    node.value.append((yaml.ScalarNode(STRING, key), value))
