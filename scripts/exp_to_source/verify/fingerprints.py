"""Fingerprints of the slits of each exposure, against which products are verified.

======================  ========================================================================
line                    content
======================  ========================================================================
1                       the exposure: its size and time; the top level that products take from it;
                        ``slits``: of each slit its label, the keys of `ExposureFingerprints.find`,
                        the size of its line, its name, source id, source name and exposure type
2 to end                one slit per line: a `SlitFingerprint`
======================  ========================================================================
"""

import json
import os
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, NamedTuple

from ..errors import InputError
from ..files import size_and_mtime, write_file
from .asdf_reader import TAG, HduReference, canonical_text, compute_digest, first_sentence, get_node
from .fits_reader import Contents, read_file
from .schema import EXPOSURE_MODEL, apply_headers, read_schema

#: Metadata of a slit over which those of its exposure are not merged.
NOT_MERGED = frozenset(("bunit_data", "bunit_err", "model_type", "wcsinfo", "wcs", "photometry"))

#: Attributes that identify a slit within its exposure, in the order of its label.
IDENTITY = (
    *("name", "source_id", "source_name", "slitlet_id", "quadrant", "xstart", "ystart"),
    "meta.wcsinfo.spectral_order",
)

#: Parts of the top of a product's tree that are not copied unchanged from its first exposure.
NOT_COPIED = frozenset((TAG, "meta", "history", "slits", "exposures", "_fits_hash"))

EXPOSURE_TYPE = "meta.exposure.type"


class SlitFingerprint(NamedTuple):
    """Slit of an exposure, or entry of a product."""

    #: For people.
    label: str
    #: Equal for a slit and its entry.
    identity: str
    #: HDU name to the digest of its data, and to their datatype and shape, in file order.
    planes: dict[str, str]
    arrays: dict[str, str]
    #: HDU name to the images of its other cards, by keyword.
    cards: dict[str, dict[str, str]]
    #: Attribute to the text of its value; ``meta.`` with a name for each part of the metadata.
    attributes: dict[str, str]
    #: Metadata about the association.
    asn: dict[str, Any] | None
    #: If it is the slit's own.
    exposure_type: str | None

    @property
    def keys(self) -> tuple[str, str]:
        """Keys to find a slit by: its identity, and its planes."""
        return self.identity, compute_digest("".join(self.planes.values()).encode())


def fingerprint_exposure(path: str, output: str) -> None:
    """Write the fingerprints of an exposure, a MultiSlitModel saved as FITS."""
    before = size_and_mtime(path)
    try:
        top, lines = _fingerprint_slits(path)
    except (InputError, MemoryError, ModuleNotFoundError):
        raise
    except Exception as error:
        # In a damaged file any value may have another type than expected.
        what = f"{type(error).__name__}: {first_sentence(error)}"
        raise InputError(
            f"{path}: its ASDF tree is not an exposure's ({what}); "
            "correct it, or get the file again"
        ) from None
    write_file(output, b"".join((_encode(before | top), *lines)))


def _encode(content: Any) -> bytes:
    return json.dumps(content, default=str).encode() + b"\n"


def _fingerprint_slits(path: str) -> tuple[dict[str, Any], list[bytes]]:
    """Return the first line of an exposure's fingerprints, and the lines of its slits."""
    arrays = read_schema(EXPOSURE_MODEL).arrays
    contents = read_file(path, {hdu: datatype for _, hdu, datatype in arrays})
    tree = contents.tree
    meta, slits = tree.get("meta"), tree.get("slits")
    mappings = [meta, *slits] if isinstance(slits, list) else [None]
    if not all(isinstance(node, dict) for node in mappings):
        raise InputError(f"{path}: its ASDF tree has no metadata or no slits")
    tree = tree | {"slits": list(_describe_arrays(contents))}
    if contents.headers_edited:
        tree = apply_headers(tree, contents)
    meta = tree["meta"] | {"filename": os.path.basename(path)}
    shared = {key: value for key, value in meta.items() if key not in NOT_MERGED}
    summaries, lines = [], []
    numbers = contents.number_hdus()
    for number, slit in enumerate(tree["slits"], 1):
        exposure_type = get_node(slit, EXPOSURE_TYPE)
        merged = _merge(slit.get("meta") or {}, shared)
        if exposure_type is not None:
            merged = _merge(merged, {"exposure": {"type": exposure_type}})
        node = slit | {"meta": merged}
        try:
            entry = fingerprint_entry(number, node, contents, numbers)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        lines.append(_encode(entry._replace(exposure_type=exposure_type)))
        keys = ("name", "source_id", "source_name", EXPOSURE_TYPE)
        identity = [get_node(node, key) for key in keys]
        summaries.append([entry.label, *entry.keys, len(lines[-1]), *identity])
    top = {
        "path": path,
        "filename": meta["filename"],
        "cards": contents.hdus[0].cards,
        "meta": flatten({"meta": meta}),
        "asn": meta.get("asn"),
        "kind": get_node(tree, EXPOSURE_TYPE),
        "tree": copied_texts(tree),
        "slits": summaries,
    }
    return top, lines


def _describe_arrays(contents: Contents) -> Iterator[dict[str, Any]]:
    """Describe arrays of slits as products have them, cast to the datatypes of the schema.

    If headers were edited, a slit has all planes of the file, as their headers describe them.
    """
    edited = contents.headers_edited
    arrays = {HduReference(*hdu[:2]): hdu.array for hdu in reversed(contents.hdus) if hdu.array}
    for number, slit in enumerate(contents.tree["slits"], 1):
        tags = (node[TAG] for node in slit.values() if isinstance(node, dict) and TAG in node)
        tag = next((tag for tag in tags if "/core/ndarray-" in tag), None)
        for key, hdu, _ in read_schema(EXPOSURE_MODEL).arrays:
            reference, node = HduReference(hdu, number), slit.get(key)
            if tag and reference in arrays and (edited or isinstance(node, dict)):
                datatype, shape = arrays[reference]
                new = {TAG: tag, "source": reference, "byteorder": "big", "shape": shape}
                slit = slit | {key: new | ({} if edited else node) | {"datatype": datatype}}
        yield slit


def _merge(base: Any, override: Any) -> Any:
    """Merge one tree over another, without changing either."""
    if isinstance(base, dict) and isinstance(override, dict):
        return base | {key: _merge(base.get(key), value) for key, value in override.items()}
    return override


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Format all nodes that are neither a mapping nor null, by their path with dots."""
    texts: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            texts |= flatten(value, f"{prefix}{key}.")
        elif value is not None:
            texts[f"{prefix}{key}"] = canonical_text(value)
    return texts


def copied_texts(tree: dict[str, Any]) -> dict[str, str]:
    """Format what products copy from the top of the tree of their first exposure."""
    return {key: canonical_text(value) for key, value in tree.items() if key not in NOT_COPIED}


def get_planes(slit: dict[str, Any]) -> list[dict[str, Any]]:
    """Get the arrays of a slit that are in HDUs."""
    arrays = [value for value in slit.values() if isinstance(value, dict)]
    return [array for array in arrays if isinstance(array.get("source"), HduReference)]


def fingerprint_entry(
    number: int, slit: dict[str, Any], contents: Contents, numbers: dict[HduReference, int]
) -> SlitFingerprint:
    """Take the fingerprint of a slit or an entry; `numbers` are those of `Contents.number_hdus`."""
    references = [array["source"] for array in get_planes(slit)]
    for reference in references:
        if reference not in numbers:
            raise InputError(f"slit {number} has no {reference.name},{reference.version}")
    positions = [numbers[reference] for reference in references]
    for name in {hdu for _, hdu, _ in read_schema(EXPOSURE_MODEL).arrays}:
        position = numbers.get(HduReference(name, number))
        # Data models write an HDU of nothing but cards for metadata of a plane.
        if position is not None and (hdu := contents.hdus[position]).cards and hdu.array is None:
            positions.append(position)
    hdus = [contents.hdus[position] for position in sorted(positions)]
    meta = slit.get("meta") or {}
    attributes = {key: canonical_text(value) for key, value in slit.items() if key != "meta"}
    attributes |= {f"meta.{k}": canonical_text(v) for k, v in meta.items() if k != "asn"}
    identity = [get_node(slit, path) for path in IDENTITY]
    return SlitFingerprint(
        label=f"slit {number} (name {identity[0]}, source {identity[1]})",
        identity=compute_digest(canonical_text(identity).encode()),
        planes={hdu.name: hdu.data for hdu in hdus},
        arrays={hdu.name: str(hdu.array) for hdu in hdus},
        cards={hdu.name: hdu.cards for hdu in hdus},
        attributes=attributes,
        asn=meta.get("asn"),
        exposure_type=get_node(slit, EXPOSURE_TYPE),
    )


class ExposureFingerprints:
    """Fingerprints of an exposure, as `fingerprint_exposure` writes them, read when requested."""

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
        self.offsets = list(accumulate(sizes))

    def find(self, entry: SlitFingerprint) -> tuple[int, SlitFingerprint] | None:
        """Find the slit that an entry was taken from: the most similar of the candidates."""
        numbers = {number for key in entry.keys for number in self.numbers.get(key, ())}
        slits = [(number, self.read(number)) for number in sorted(numbers)]

        def count_common(candidate: tuple[int, SlitFingerprint]) -> int:
            _, slit = candidate
            pairs = ((slit.planes, entry.planes), (slit.attributes, entry.attributes))
            return sum(len(a.items() & b.items()) for a, b in pairs)

        return max(slits, key=count_common, default=None)

    def read(self, number: int) -> SlitFingerprint:
        """Read the fingerprint of a slit."""
        with open(self.path, "rb") as file:
            file.seek(self.offsets[number - 1])
            return SlitFingerprint(*json.loads(file.readline()))
