"""Fingerprints of the slits of each exposure, against which products are verified.

======================  ========================================================================
line                    content
======================  ========================================================================
1                       the exposure: its size and time; the top level that products take from it;
                        ``slits``: of each slit its label, what it is found by, the size of its
                        line, its name, source id, source name and exposure type
2 to end                one slit per line: an `Entry`
======================  ========================================================================
"""

import json
import os
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple

from asdf.exceptions import ValidationError
from asdf.schema import validate
from astropy.io.fits import VerifyError

from ..errors import InputError
from ..files import atomic_write, size_and_mtime, write_all
from .readback import TAG, Contents, Source, digest, first_sentence, form, read_file

#: Metadata of a slit over which those of its exposure are not merged.
OWN = frozenset(("bunit_data", "bunit_err", "model_type", "wcsinfo", "wcs", "photometry"))

#: Attributes that identify a slit within its exposure, in the order of its label.
IDENTITY = (
    *("name", "source_id", "source_name", "slitlet_id", "quadrant", "xstart", "ystart"),
    "meta.wcsinfo.spectral_order",
)

#: Parts of the top of a product's tree that are not copied unchanged from its first exposure.
NOT_COPIED = frozenset((TAG, "meta", "history", "slits", "exposures", "_fits_hash"))


class Keyword(NamedTuple):
    """Leaf of a schema that has a keyword."""

    path: tuple[str, ...]
    name: str
    hdu: str
    schema: dict[str, Any]


class Entry(NamedTuple):
    """Slit of an exposure, or entry of a product.

    Attributes
    ----------
    label : str
        For people.
    identity : str
        Equal for a slit and its entry.
    planes, arrays : dict
        HDU name to the digest of its data, and to their datatype and shape, in file order.
    cards : dict
        HDU name to the images of its other cards, by keyword.
    attributes : dict
        Attribute to the form of its value; ``meta.`` with a name for each part of the metadata.
    asn : dict or None
        Metadata about the association.
    kind : str or None
        Exposure type, if it is the slit's own.
    """

    label: str
    identity: str
    planes: dict[str, str]
    arrays: dict[str, str]
    cards: dict[str, dict[str, str]]
    attributes: dict[str, str]
    asn: dict[str, Any] | None
    kind: str | None


class SchemaPlane(NamedTuple):
    """Array of a slit that the schema keeps in an HDU: its key, its HDU, its datatype."""

    key: str
    hdu: str
    datatype: str


@cache
def schema_planes() -> list[SchemaPlane]:
    """Planes of a slit, from the schema of MultiSlitModel."""
    from stdatamodels import schema
    from stdatamodels.jwst import datamodels

    planes = []

    def look(part: dict[str, Any], path: list[str], *_: Any) -> None:
        if path[1:2] == ["items"] and "fits_hdu" in part and isinstance(part.get("datatype"), str):
            planes.append(SchemaPlane(path[-1], part["fits_hdu"], part["datatype"]))

    with datamodels.MultiSlitModel() as empty:
        schema.walk_schema(empty.schema, look)
    return planes


@cache
def keywords(model: str) -> tuple[list[Keyword], list[Keyword]]:
    """Keywords of a data model's schema: of the whole, and of an item of its list of slits."""
    from stdatamodels import schema
    from stdatamodels.jwst import datamodels

    found: tuple[list[Keyword], list[Keyword]] = ([], [])

    def look(part: dict[str, Any], path: list[str], *_: Any) -> None:
        if "fits_keyword" in part:
            item = path[1:2] == ["items"]
            hdu = part.get("fits_hdu", "PRIMARY")
            word = Keyword(tuple(path[2:] if item else path), part["fits_keyword"], hdu, part)
            found[item].append(word)

    with getattr(datamodels, model)() as empty:
        schema.walk_schema(empty.schema, look)
    return found


def at(node: Any, path: tuple[str, ...]) -> Any:
    """Part of a tree, or None."""
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def leaves(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Paths and values of all nodes that are neither a mapping nor null."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, str(key)))
        elif value is not None:
            yield (*path, str(key)), value


def merge(own: Any, over: Any) -> Any:
    """Merge one tree over another, without changing either."""
    if isinstance(own, dict) and isinstance(over, dict):
        return own | {key: merge(own.get(key), value) for key, value in over.items()}
    return over


def fingerprint_exposure(path: str, output: str) -> None:
    """Write the fingerprints of an exposure.

    Parameters
    ----------
    path : str
        A MultiSlitModel saved as FITS.
    output : str
        File to write.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    before = size_and_mtime(path)
    try:
        top, lines = _take_fingerprints(path)
    except (InputError, MemoryError, ModuleNotFoundError):
        raise
    except Exception as error:
        # In a damaged file any value may have another type than expected.
        what = f"{type(error).__name__}: {first_sentence(error)}"
        raise InputError(
            f"{path}: its ASDF tree is not an exposure's ({what}); "
            "correct it, or get the file again"
        ) from None
    with atomic_write(output) as file:
        write_all(file, json.dumps(before | top, default=str).encode() + b"\n")
        for line in lines:
            write_all(file, line)


def _take_fingerprints(path: str) -> tuple[dict[str, Any], list[bytes]]:
    """First line of an exposure's fingerprints, and the lines of its slits."""
    contents = read_file(path, {plane.hdu: plane.datatype for plane in schema_planes()})
    tree = contents.tree
    meta, slits = tree.get("meta"), tree.get("slits")
    mappings = [meta, *slits] if isinstance(slits, list) else [None]
    if not all(isinstance(node, dict) for node in mappings):
        raise InputError(f"{path}: its ASDF tree has no metadata or no slits")
    tree = describe_planes(tree, contents, tree.get("_fits_hash") != contents.hash)
    if tree.get("_fits_hash") != contents.hash:
        tree = take_headers(tree, contents)
    meta = tree["meta"] | {"filename": os.path.basename(path)}
    heads, lines = [], []
    places = places_of(contents)
    for number, slit in enumerate(tree["slits"], 1):
        own = slit.get("meta") or {}
        merged = merge(own, {key: value for key, value in meta.items() if key not in OWN})
        kind = at(own, ("exposure", "type"))
        if kind is not None:
            merged = merge(merged, {"exposure": {"type": kind}})
        try:
            entry = describe(number, slit | {"meta": merged}, contents, places)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        lines.append(json.dumps(entry._replace(kind=kind), default=str).encode() + b"\n")
        who = [at(slit, (key,)) for key in ("name", "source_id", "source_name")]
        who.append(at(merged, ("exposure", "type")))
        heads.append([entry.label, *keys(entry), len(lines[-1]), *who])
    return describe_top(path, contents, tree, meta) | {"slits": heads}, lines


def describe_planes(tree: dict[str, Any], contents: Contents, edited: bool) -> dict[str, Any]:
    """Describe planes as products have them, cast to the datatypes of the schema.

    If headers were `edited`, a slit has all planes of the file, as their headers describe them.
    """
    arrays = {
        Source(plane.name, plane.version): plane.array
        for plane in reversed(contents.planes)
        if plane.array
    }

    def described(slit: dict[str, Any], number: int) -> dict[str, Any]:
        nodes = [node for node in slit.values() if isinstance(node, dict) and TAG in node]
        tag = next((node[TAG] for node in nodes if "/core/ndarray-" in node[TAG]), None)
        for key, hdu, _ in schema_planes():
            source, node = Source(hdu, number), slit.get(key)
            if source in arrays and tag and (edited or isinstance(node, dict)):
                datatype, shape = arrays[source]
                old = node if isinstance(node, dict) and not edited else {}
                new = {TAG: tag, "source": source, "byteorder": "big", "shape": shape}
                slit = slit | {key: new | old | {"datatype": datatype}}
        return slit

    slits = [described(slit, number) for number, slit in enumerate(tree["slits"], 1)]
    return tree | {"slits": slits}


def take_headers(tree: dict[str, Any], contents: Contents) -> dict[str, Any]:
    """Put the values of the headers into a tree, as data models do if headers were edited."""
    headers = {Source(plane.name, plane.version): plane.header for plane in contents.planes}
    top, item = keywords("MultiSlitModel")

    def updated(node: dict[str, Any], words: list[Keyword], version: int) -> dict[str, Any]:
        for word in words:
            place = Source(word.hdu, 1 if word.hdu == "PRIMARY" else version)
            header = headers.get(place, {})
            try:
                value = header.get(word.name)
            except VerifyError:
                # A card that astropy cannot read counts as little as a value that is not valid.
                continue
            if isinstance(value, str | int | float) and is_valid(value, word.schema):
                node = _with(node, word.path, value)
        return node

    slits = [updated(slit, item, number) for number, slit in enumerate(tree["slits"], 1)]
    return updated(tree, top, 1) | {"slits": slits}


def is_valid(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a schema accepts a value."""
    try:
        validate(value, schema=schema)
    except ValidationError:
        return False
    return True


def _with(node: Any, path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Copy of a tree with another value at one path."""
    key, *rest = path
    tree: dict[str, Any] = node if isinstance(node, dict) else {}
    return tree | {key: _with(tree.get(key), tuple(rest), value) if rest else value}


def places_of(contents: Contents) -> dict[Source, int]:
    """Positions of the planes in a file, the first of equal ones."""
    planes = [*enumerate(contents.planes)]
    return {Source(plane.name, plane.version): place for place, plane in reversed(planes)}


def sources(slit: dict[str, Any]) -> list[Source]:
    """Arrays of a slit that are in HDUs."""
    found = [value.get("source") for value in slit.values() if isinstance(value, dict)]
    return [source for source in found if isinstance(source, Source)]


def describe(
    number: int, slit: dict[str, Any], contents: Contents, places: dict[Source, int]
) -> Entry:
    """Take the fingerprint of a slit or an entry.

    Raises
    ------
    InputError
        If it has no plane, or a plane that is not in the file.
    """
    named = sources(slit)
    for source in named:
        if source not in places:
            raise InputError(f"slit {number} has no {source.name},{source.version}")
    named += (
        source
        for name in {plane.hdu for plane in schema_planes()}
        if (source := Source(name, number)) in places and contents.planes[places[source]].is_empty
    )
    planes = [contents.planes[place] for place in sorted(places[source] for source in named)]
    meta = slit.get("meta") or {}
    attributes = {key: form(value) for key, value in slit.items() if key != "meta"}
    attributes |= {f"meta.{key}": form(value) for key, value in meta.items() if key != "asn"}
    identity = [at(slit, tuple(path.split("."))) for path in IDENTITY]
    return Entry(
        label=f"slit {number} (name {identity[0]}, source {identity[1]})",
        identity=digest(form(identity).encode()),
        planes={plane.name: plane.data for plane in planes},
        arrays={plane.name: str(plane.array) for plane in planes},
        cards={plane.name: plane.cards for plane in planes},
        attributes=attributes,
        asn=meta.get("asn"),
        kind=at(meta, ("exposure", "type")),
    )


def keys(entry: Entry) -> tuple[str, str]:
    """Keys to find a slit by: its identity, and its planes."""
    return entry.identity, digest("".join(entry.planes.values()).encode())


def describe_top(
    path: str, contents: Contents, tree: dict[str, Any], meta: dict[str, Any]
) -> dict[str, Any]:
    """Take the fingerprint of the part that products take from their first exposure."""
    primary = contents.planes[0]
    return {
        "path": path,
        "filename": meta["filename"],
        "cards": primary.cards,
        "meta": {".".join(path): form(value) for path, value in leaves({"meta": meta})},
        "asn": meta.get("asn"),
        "kind": at(meta, ("exposure", "type")),
        "tree": {key: form(value) for key, value in tree.items() if key not in NOT_COPIED},
    }


class Fingerprints:
    """Fingerprints of an exposure, which are read only when requested.

    Parameters
    ----------
    path : str
        File of fingerprints, as `fingerprint_exposure` writes it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        with open(path, "rb") as file:
            first = file.readline()
        self.top: dict[str, Any] = json.loads(first)
        self.numbers: dict[str, list[int]] = {}
        sizes = [len(first)]
        for number, (_, identity, planes, size, *_) in enumerate(self.top.pop("slits"), 1):
            sizes.append(size)
            for key in (identity, planes):
                self.numbers.setdefault(key, []).append(number)
        self.starts = list(accumulate(sizes))

    def find(self, entry: Entry) -> tuple[int, Entry] | None:
        """Slit that an entry was taken from: the most similar of the candidates."""
        numbers = {number for key in keys(entry) for number in self.numbers.get(key, ())}
        slits = [(number, self.read(number)) for number in sorted(numbers)]
        return max(slits, key=lambda slit: likeness(slit[1], entry), default=None)

    def read(self, number: int) -> Entry:
        """Read the fingerprint of a slit."""
        with open(self.path, "rb") as file:
            file.seek(self.starts[number - 1])
            return Entry(*json.loads(file.readline()))


def likeness(one: Entry, other: Entry) -> int:
    """Count the planes and attributes that two entries have in common."""
    pairs = ((one.planes, other.planes), (one.attributes, other.attributes))
    return sum(len(a.items() & b.items()) for a, b in pairs)
