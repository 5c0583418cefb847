"""Reading files for verification: HDUs with astropy, the ASDF tree with PyYAML's events.

Shares no code with the code that writes products, so that no error is shared either.
"""

import hashlib
import os
import re
import struct
import warnings
from collections.abc import Iterator, Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import yaml
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from stdatamodels.fits_support import fits_hash

from ..errors import InputError

BLOCK, BUFFER = 2880, 1 << 20

#: Nothing is cast.
NO_DATATYPES: Mapping[str, str] = MappingProxyType({})

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

#: Keywords that describe the data of an HDU.
STRUCTURE = re.compile(
    "SIMPLE|XTENSION|BITPIX|NAXIS[0-9]*|EXTEND|PCOUNT|GCOUNT|GROUPS|BSCALE|BZERO|BLANK"
)

#: Keywords that are not compared individually; those of an HDU's name are compared as the name.
UNCOMPARED = frozenset(("", "COMMENT", "HISTORY", "EXTNAME", "EXTVER"))

#: Errors that astropy raises for invalid headers, besides its own.
_UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)

_YAML = "tag:yaml.org,2002:"
_NATIVE = frozenset(f"{_YAML}{name}" for name in ("bool", "float", "int", "null", "timestamp"))
_SET = f"{_YAML}set"
_BLOCK_MAGIC = b"\xd3BLK"
_BLOCK_HEADER = struct.Struct(">I4sQQQ16s")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = yaml.resolver.Resolver()
_CONSTRUCTOR = yaml.constructor.SafeConstructor()


class Digest(str):
    """Digest of content: digests are equal if and only if the content is."""

    __slots__ = ()


class Source(NamedTuple):
    """Array in an HDU."""

    name: str
    version: int


class Plane(NamedTuple):
    """HDU: the digest of its data, what describes them, and its other cards.

    The `array` is the datatype and shape as which its data are read; None if there are none.
    """

    name: str
    version: int
    data: Digest
    array: tuple[str, list[int]] | None
    cards: dict[str, str]
    header: fits.Header

    @property
    def is_empty(self) -> bool:
        """Whether it has nothing but cards, which data models write for metadata of a plane."""
        return self.array is None and bool(self.cards)


class Contents(NamedTuple):
    """A complete file; PRIMARY is the first of its planes, which do not include ASDF.

    `hash` is that of its headers, as in ``_fits_hash`` of a tree that was written with them. It is
    `clean` if only zeros follow the ASDF tree, which is in the last HDU.
    """

    planes: list[Plane]
    tree: dict[Any, Any]
    hash: str
    clean: bool


def digest(*parts: bytes | memoryview) -> Digest:
    """Digest of bytes."""
    content = hashlib.sha256()
    for part in parts:
        content.update(part)
    return Digest(content.hexdigest()[:32])


def form(node: Any) -> str:
    """Text that is equal for two nodes if and only if the nodes are equal.

    The order of mappings is ignored, and so is the EXTVER of arrays in HDUs.
    """
    if isinstance(node, Digest):
        return node
    if isinstance(node, Source):
        return f"plane {node.name}"
    if isinstance(node, dict):
        pairs = sorted(f"{form(key)}: {form(value)}" for key, value in node.items())
        return digest("\n".join(("mapping", *pairs)).encode())
    if isinstance(node, list):
        return digest("\n".join(("sequence", *map(form, node))).encode())
    return f"{type(node).__name__} {node!r}"


def read_file(path: str, datatypes: Mapping[str, str] = NO_DATATYPES) -> Contents:
    """Read a complete file, each byte of its data once.

    Parameters
    ----------
    path : str
        The file.
    datatypes : mapping
        Name of an HDU to the datatype to which its data are cast.

    Raises
    ------
    InputError
        If it is not a valid FITS file with one ASDF extension.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path}: is missing; bring it back, or make it again")
    try:
        with (
            warnings.catch_warnings(action="ignore", category=AstropyWarning),
            # If astropy fails, it does not close a file that it opened itself.
            open(path, "rb") as opened,
            fits.open(opened, memmap=False, lazy_load_hdus=False) as hdus,
            open(path, "rb") as file,
        ):
            return _read_hdus(path, file, hdus, datatypes)
    except (*_UNREADABLE, fits.VerifyError) as error:
        raise InputError(f"{path}: cannot be read as FITS ({first_sentence(error)})") from None


def _read_hdus(
    path: str, file: BinaryIO, hdus: fits.HDUList, datatypes: Mapping[str, str]
) -> Contents:
    size = os.fstat(file.fileno()).st_size
    places = [hdu.fileinfo() for hdu in hdus]
    end = places[-1]["datLoc"] + places[-1]["datSpan"]
    # The padding of the last HDU may be missing.
    if places[-1]["datLoc"] + hdus[-1].size > size:
        raise InputError(f"{path}: is truncated: {size} of {end} bytes")
    numbers = [number for number, hdu in enumerate(hdus) if hdu.name.upper() == "ASDF"]
    if not numbers:
        raise InputError(f"{path}: is truncated, or has no ASDF extension")
    number = numbers[0]
    pairs = list(zip(hdus, places, strict=True))
    extension, place = pairs.pop(number)
    planes = [_read_plane(path, file, *pair, datatypes) for pair in pairs]
    file.seek(place["datLoc"])
    header = extension.header
    tree = read_asdf(path, file.read(header["NAXIS1"] * header["NAXIS2"]))
    clean = number == len(planes) and size == end and not file.read().strip(b"\0")
    return Contents(planes, tree, fits_hash(hdus), clean)


def _read_plane(
    path: str, file: BinaryIO, hdu: Any, place: dict[str, int], datatypes: Mapping[str, str]
) -> Plane:
    file.seek(place["hdrLoc"])
    cards = read_cards(file.read(place["datLoc"] - place["hdrLoc"]))
    name, header = hdu.name.upper(), hdu.header.copy()
    array = array_of(header)
    datatype = datatypes.get(name)
    content = hashlib.sha256()
    if array and datatype and array[0] != datatype:
        array = datatype, array[1]
        cast = fits.ImageHDU(np.asarray(hdu.data).astype(datatype))
        written = BytesIO()
        cast.writeto(written)
        # After PRIMARY and the header, each of one block.
        content.update(written.getvalue()[2 * BLOCK :])
    else:
        rest = place["datSpan"]
        while rest:
            data = file.read(min(rest, BUFFER))
            if not data:
                raise InputError(f"{path}: became shorter while it was read; run again")
            content.update(data)
            rest -= len(data)
    return Plane(
        name,
        hdu.ver,
        Digest(content.hexdigest()[:32]),
        array,
        {word: image for word, image in cards.items() if not STRUCTURE.fullmatch(word)},
        header,
    )


def array_of(header: fits.Header) -> tuple[str, list[int]] | None:
    """Return datatype and shape of the array that an image opens as; None if it has none."""
    if header.get("XTENSION", "IMAGE") != "IMAGE" or not header["NAXIS"]:
        return None
    bits = header["BITPIX"]
    kind = "float" if bits < 0 else "uint" if header.get("BZERO") == 1 << (bits - 1) else "int"
    if bits == 8:
        kind = "int" if header.get("BZERO") == -128 else "uint"
    shape = [header[f"NAXIS{axis}"] for axis in range(header["NAXIS"], 0, -1)]
    return f"{kind}{abs(bits)}", shape


def read_cards(raw: bytes) -> dict[str, str]:
    """Read the card images of a header by keyword, with continued cards joined.

    The first card of a keyword is used, as in astropy.
    """
    text = raw.decode("latin-1")
    cards: dict[str, str] = {}
    continued: str | None = None
    for start in range(0, len(text), 80):
        image = text[start : start + 80]
        word = image[:8].rstrip(" ")
        if word == "END":
            return cards
        if word == "CONTINUE":
            if continued:
                cards[continued] += image
            continue
        continued = None if word in cards or word in UNCOMPARED else word
        if continued:
            cards[word] = image
    raise ValueError("a header without END")


def read_asdf(path: str, content: bytes) -> dict[Any, Any]:
    """Read the tree of an ASDF file.

    In the tree, internal arrays are replaced by the digest of their block, arrays in HDUs by a
    `Source`, and each ``wcs`` by its digest.

    Raises
    ------
    InputError
        If YAML or blocks are damaged.
    """
    end = re.search(rb"\n\.\.\.\r?\n", content)
    if not content.startswith(b"#ASDF") or not end:
        raise InputError(f"{path}: its ASDF extension holds no ASDF tree")
    reader = _TreeReader(content[: end.end()], list(_read_blocks(path, content, end.end())))
    try:
        tree = reader.document()
    except (yaml.YAMLError, ValueError, TypeError, LookupError, RecursionError) as error:
        what = getattr(error, "problem", None) or first_sentence(error)
        raise InputError(f"{path}: damaged ASDF tree ({what})") from None
    if not isinstance(tree, dict):
        raise InputError(f"{path}: damaged ASDF tree (not a mapping)")
    return tree


def _read_blocks(path: str, content: bytes, start: int) -> Iterator[Digest]:
    """Digests of the internal blocks, in the layout of the ASDF standard."""
    start = content.find(_BLOCK_MAGIC, start)
    view = memoryview(content)
    while start >= 0 and view[start : start + 4] == _BLOCK_MAGIC:
        header = int.from_bytes(view[start + 4 : start + 6])
        try:
            _, packing, room, size, length, md5 = _BLOCK_HEADER.unpack_from(view, start + 6)
        except struct.error:
            raise InputError(f"{path}: a block of its ASDF extension is truncated") from None
        start += 6 + header
        block = view[start : start + size]
        whole = len(block) == size and (packing != bytes(4) or size == length)
        if not whole or md5 not in (bytes(16), hashlib.md5(block, usedforsecurity=False).digest()):
            raise InputError(f"{path}: a block of its ASDF extension is damaged")
        yield digest(packing, block)
        start += room


class _TreeReader:
    """Builds the tree from the events of a YAML document.

    A WCS, which is most of the text, is never held as nodes: each of its collections becomes a
    digest as soon as it ends, and aliases refer to this digest.
    """

    def __init__(self, text: bytes, blocks: list[Digest]) -> None:
        self.events = yaml.parse(text, Loader=_LOADER)
        self.blocks = blocks
        self.anchors: dict[str | None, Any] = {}

    def document(self) -> Any:
        """Read the first document to its end."""
        for event in self.events:
            if isinstance(event, yaml.NodeEvent):
                root = self.node(event)
                for _ in self.events:
                    pass
                return root
        raise ValueError("no document")

    def node(self, event: Any, folded: bool = False) -> Any:
        """Read the node that begins with an event; return its digest if it is `folded`."""
        if isinstance(event, yaml.AliasEvent):
            return self.anchors[event.anchor]
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = []
            while not isinstance(part := next(self.events), yaml.SequenceEndEvent):
                node.append(self.node(part, folded))
            node = self.tagged(event, node)
        else:
            node = {}
            while not isinstance(part := next(self.events), yaml.MappingEndEvent):
                key = self.node(part)
                value = self.node(next(self.events), folded or key == "wcs")
                # As asdf does, which neither reads nor writes them; a WCS may have them.
                if value is not None or folded or event.tag == _SET:
                    node[key] = value
            if event.tag and "/core/ndarray-" in event.tag:
                node["source"] = self.source(node.get("source"))
            node = self.tagged(event, node)
        if folded and isinstance(node, (dict, list)):
            node = Digest(form(node))
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def tagged(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, node: Any) -> Any:
        """Add the tag to a node, if it has one."""
        if not event.tag:
            return node
        tag = RENAMED.get(event.tag, event.tag)
        return {TAG: tag} | (node if isinstance(node, dict) else {"": node})

    def scalar(self, event: yaml.ScalarEvent) -> Any:
        """Value of a scalar."""
        if event.tag and not event.tag.startswith(_YAML):
            return self.tagged(event, event.value)
        tag = event.tag or _RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag not in _NATIVE:
            return event.value
        return _CONSTRUCTOR.construct_document(yaml.ScalarNode(tag, event.value))

    def source(self, source: Any) -> Any:
        """HDU of an array; internal arrays are replaced by their content."""
        if isinstance(source, int):
            return self.blocks[source]
        found = re.fullmatch(r"fits:(.+),([0-9]+)", str(source))
        return Source(found[1], int(found[2])) if found else source


def first_sentence(error: BaseException) -> str:
    """First sentence of an error's message, or its type if the message is empty."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].split(". ")[0]
