"""Rewriting documents in the layout of asdf, at the level of YAML's node graph.

Few exposures need it: those with another layout, or with headers that were edited after the tree
was written. For the latter, stdatamodels uses the values of the headers (it compares ``_fits_hash``
with the headers) if its schema accepts them, and so does this module. Unknown tags and values stay,
including those of old libraries.
"""

from typing import NamedTuple

import yaml

from ..errors import InputError
from ..formats.cards import Value
from .fitsfile import HDU
from .keywords import Keyword, accepts, table
from .planes import find_cast, product_datatype
from .reader import MAX_DEPTH, NDARRAY, Loader
from .tree import SET_TAG, TAGS

Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
MAPPING, SEQUENCE, STRING, NULL = (
    f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "null")
)

_REPRESENTER = yaml.representer.SafeRepresenter()


class Refusal(NamedTuple):
    """A value in a header that the schema does not accept; None if the card has no value.

    The `card` is empty if it follows the FITS standard.
    """

    hdu: tuple[str, int]
    word: Keyword
    value: Value
    card: str = ""


class Rewriting(NamedTuple):
    """A tree that was rewritten.

    Attributes
    ----------
    text : str
        The same tree, in the layout that `tree.parse` expects.
    refusals : list of Refusal
        Values of the headers that were not accepted: the tree keeps its own.
    dropped : list of str
        Keys that had no value.
    edited : bool
        Whether the headers' values were used.
    """

    text: str
    refusals: list[Refusal]
    dropped: list[str]
    edited: bool


def normalise(text: str, path: str, hdus: list[HDU], digest: str) -> Rewriting:
    """Rewrite a tree, with the values of the headers if these were edited.

    Parameters
    ----------
    text : str
        The YAML document of an exposure.
    path : str
        Name of the exposure, for messages.
    hdus : list of HDU
        The exposure's HDUs.
    digest : str
        Digest of their headers; if it equals the tree's `_fits_hash`, the tree's values are used.

    Returns
    -------
    Rewriting
        The new text, and what was left out.

    Raises
    ------
    InputError
        If the document is damaged, or is not the tree of a MultiSlitModel.
    """
    try:
        check_depth(text)
        root = yaml.compose(text, Loader=Loader)
    except (yaml.YAMLError, ValueError) as error:
        what = getattr(error, "problem", None) or error
        raise InputError(f"{path}: damaged ASDF tree ({what}); get the file again") from None
    if isinstance(root, yaml.MappingNode):
        _spell_nulls(root)
        try:
            dropped = _drop_keys(root)
        except ValueError as error:
            raise InputError(f"{path}: {error}; correct it, or get the file again") from None
    meta, slits = _get(root, "meta"), _get(root, "slits")
    if (
        not isinstance(root, yaml.MappingNode)
        or not isinstance(meta, yaml.MappingNode)
        or not isinstance(slits, yaml.SequenceNode)
        or not slits.value
    ):
        raise InputError(
            f"{path}: its ASDF tree has no meta or no slits, so it is not a MultiSlitModel; "
            "only exposure-based cal products can be regrouped"
        )
    stated = _get(root, "_fits_hash")
    edited = stated is None or stated.value != digest
    named = {(hdu.name, hdu.version): hdu for hdu in reversed(hdus)}
    refusals: dict[tuple[str, int, str], Refusal] = {}

    def take(node: yaml.MappingNode, word: Keyword, version: int) -> None:
        hdu = named.get((word.hdu, version))
        if hdu is None:
            return
        value, card = hdu.header.get(word.name), hdu.header.invalid.get(word.name, "")
        if word.name in hdu.header and accepts(word, value):
            _put(node, word.path.split("."), value)
        elif word.name in hdu.header or card:
            refusal = Refusal((word.hdu, version), word, value, card)
            refusals.setdefault((*refusal.hdu, word.name), refusal)

    root = _own(root)
    root.value.sort(key=lambda pair: pair[0].value == "slits")
    slits = yaml.SequenceNode(slits.tag, list(slits.value), flow_style=False)
    try:
        for number, node in enumerate(slits.value):
            slit = slits.value[number] = _own(node)
            _set(slit, "meta", _own(_get(slit, "meta") or yaml.MappingNode(MAPPING, [])))
            for word in table().entry if edited else ():
                take(slit, word, number + 1)
            planes = [hdu for name in table().planes if (hdu := named.get((name, number + 1)))]
            _describe_planes(slit, planes, edited)
        _set(root, "slits", slits)
        _set(root, "meta", _own(meta))
        for word in table().product if edited else ():
            take(root, word, 1)
    except ValueError as error:
        raise InputError(f"{path}: {error}; correct it, or get the file again") from None
    text = yaml.serialize(
        root,
        Dumper=Dumper,
        explicit_start=True,
        explicit_end=True,
        version=(1, 1),
        tags=TAGS,
        allow_unicode=True,
    )
    return Rewriting(text, list(refusals.values()), dropped, edited)


def check_depth(text: str) -> None:
    """Refuse documents nested so deeply that libyaml would crash when composing them."""
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
            for part in node.value:
                todo += part if isinstance(part, tuple) else (part,)


def _drop_keys(root: yaml.Node) -> list[str]:
    """Leave out keys without a value, as asdf does when it writes, and repeated ones.

    A WCS may have keys without a value.

    Raises
    ------
    ValueError
        If a key is repeated with another value.
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
            todo += ((part, is_wcs) for part in node.value)
    return sorted(dropped)


def _unique(pairs: list[tuple[yaml.Node, yaml.Node]]) -> list[tuple[yaml.Node, yaml.Node]]:
    """Leave out repeated keys, which must have equal values."""
    first: dict[tuple[str, str], tuple[yaml.Node, yaml.Node]] = {}
    for key, value in pairs:
        is_scalar = isinstance(key, yaml.ScalarNode)
        name = key.value if is_scalar else yaml.serialize(key, Dumper=Dumper)
        _, other = first.setdefault((key.tag, name), (key, value))
        if other is not value and yaml.serialize(value, Dumper=Dumper) != yaml.serialize(
            other, Dumper=Dumper
        ):
            raise ValueError(f"its ASDF tree has the key {key.value!s:.40} twice in one place")
    return list(first.values())


def _describe_planes(slit: yaml.MappingNode, hdus: list[HDU], edited: bool) -> None:
    """Describe the planes of a slit as products have them: those that are cast; if edited, all.

    Raises
    ------
    ValueError
        If one of several planes of equal shape was given another.
    """
    tags = [node.tag for _, node in slit.value if node.tag.startswith(NDARRAY)]
    changed = False
    for hdu in hdus:
        key, array = table().planes[hdu.name].key, _get(slit, table().planes[hdu.name].key)
        if not hdu.shape or not tags or not (edited or (array and find_cast(hdu))):
            continue
        old = _get(array, "shape")
        shape = _REPRESENTER.represent_sequence(SEQUENCE, hdu.shape, flow_style=True)
        changed |= edited and old is not None and _values(old) != _values(shape)
        described = {
            "source": f"fits:{hdu.name},{hdu.version}",
            "datatype": product_datatype(hdu),
            "byteorder": "big",
        }
        node = _REPRESENTER.represent_mapping(tags[0], described)
        node.value.append((yaml.ScalarNode(STRING, "shape"), shape if edited or not old else old))
        _set(slit, key, node)
    shapes = {hdu.shape: hdu.name for hdu in hdus if hdu.shape}
    if changed and len(shapes) > 1:
        texts = (f"{name},{hdus[0].version} {list(shape)}" for shape, name in shapes.items())
        raise ValueError(f"planes of one slit have different shapes ({', '.join(texts):.120})")


def _values(node: yaml.Node) -> list[str]:
    """Return the texts of a sequence of scalars."""
    items = node.value if isinstance(node, yaml.SequenceNode) else [node]
    return [str(item.value) for item in items]


def _put(node: yaml.MappingNode, path: list[str], value: Value) -> None:
    """Set a leaf's value, without changing other parts of the tree that share its parents."""
    *around, last = path
    for key in around:
        part = _get(node, key)
        part = _own(part or yaml.MappingNode(MAPPING, []), None)
        _set(node, key, part)
        node = part
    _set(node, last, _REPRESENTER.represent_data(value))


def _own(node: yaml.Node, flow_style: bool | None = False) -> yaml.MappingNode:
    """Copy a mapping node, so that no other part of the tree shares it; None keeps its style."""
    if not isinstance(node, yaml.MappingNode):
        raise ValueError("its ASDF tree is not built as a MultiSlitModel's")
    if flow_style is None:
        flow_style = node.flow_style
    return yaml.MappingNode(node.tag, list(node.value), flow_style=flow_style)


def _get(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """Value of a key of a mapping node, or None, also if the node is not a mapping."""
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
