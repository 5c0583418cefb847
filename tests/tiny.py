"""An exposure as small as the data models write one, in parts that can be damaged, and a judge."""

import hashlib
import math
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from astropy.io import fits
from stdatamodels.fits_support import fits_hash
from stdatamodels.jwst.datamodels import MultiSlitModel

BLOCK, CARD = 2880, 80
MAGIC = b"\xd3BLK"
NDARRAY = "tag:stsci.edu:asdf/core/ndarray-"
NULL = "tag:yaml.org,2002:null"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: Keys of an entry's metadata that are not simply the exposure's.
NOT_COMMON = {"asn", "bunit_data", "bunit_err", "exposure", "filename", "model_type"}
NOT_COMMON |= {"photometry", "wcs", "wcsinfo"}


def write_tiny(path: Path) -> bytes:
    """Write an exposure with two slits of two planes, which share YAML nodes and a block.

    As in flight, slits have an empty table and metadata of the exposure.
    """
    shared, table = [-1.0, 1.0], np.arange(3.0)
    times = np.dtype([("integration_number", "<i4"), ("int_start_MJD_UTC", "<f8")])

    def slit(number: int) -> dict[str, Any]:
        wcs = {"box": shared, "table": table, "own": np.arange(2.0) + number}
        return {
            "name": str(number),
            "source_id": 60 + number,
            "source_name": f"9_{60 + number}",
            "data": np.full((1, 1 + number), number, "f4"),
            "dq": np.full((1, 1 + number), number, "u4"),
            "int_times": np.empty(0, times),
            "meta": {
                "wcs": wcs,
                "exposure": {"type": "NRS_MSASPEC"},
                "bunit_data": "MJy",
                "instrument": dict(instrument),
            },
        }

    instrument = {"name": "NIRSPEC", "filter": "F170LP", "grating": "G235M"}
    meta = {
        "model_type": "MultiSlitModel",
        "exposure": {"type": "NRS_MSASPEC", "nints": 1},
        "instrument": instrument,
        "observation": {"program_number": "00009", "observation_number": "001"},
        "proposal": {"pi_name": "Some, One", "other": {"deeper": [1, 2]}},
        "shared": shared,
    }
    with MultiSlitModel({"meta": meta, "slits": [slit(1), slit(2)]}) as model:
        model.save(str(path))
    return path.read_bytes()


@dataclass
class Parts:
    """A file in parts: cards and data of each HDU; document and blocks of the last, ASDF."""

    hdus: list[tuple[list[bytes], bytes]]
    lines: list[str]
    blocks: list[bytes]

    def copy(self) -> "Parts":
        """Copy the parts, so that they can be changed."""
        hdus = [(list(cards), data) for cards, data in self.hdus]
        return Parts(hdus, list(self.lines), list(self.blocks))

    def join(self, *, true_hash: bool = False, true_size: bool = True) -> bytes:
        """Make a file of the parts, its hash and the size of its ASDF extension true or not."""
        joined = [_header(cards) + data for cards, data in self.hdus]
        text = "\n".join(self.lines)
        if true_hash:
            headers = b"".join(_header(cards) for cards, _ in self.hdus if not _is_asdf(cards))
            digest = hashlib.sha256(headers).hexdigest()
            text = re.sub("^_fits_hash: .*$", f"_fits_hash: {digest}", text, flags=re.MULTILINE)
        document = text.encode("utf-8", "surrogateescape") + b"".join(self.blocks)
        for number, (cards, _) in enumerate(self.hdus):
            if _is_asdf(cards):
                if true_size:
                    cards = [_sized(card, len(document)) for card in cards]
                joined[number] = _header(cards) + _padded(document, b"\0")
        return b"".join(joined)


Edit = Callable[[Parts], object]


def set_card(hdu: int, image: str | bytes) -> Edit:
    """Return an edit that puts a card in the place of that of its keyword, or at the end."""
    new = (image if isinstance(image, bytes) else image.encode("latin-1")).ljust(CARD)

    def edit(parts: Parts) -> None:
        cards = parts.hdus[hdu][0]
        same = [n for n, old in enumerate(cards) if old[:8] == new[:8] and new[:7] != b"HISTORY"]
        cards[slice(same[0], same[0] + 1) if same else slice(len(cards), None)] = [new]

    return edit


def remove_cards(hdu: int, *words: bytes, at_end: bool = False) -> Edit:
    """Return an edit that removes cards, or moves them to the end."""

    def edit(parts: Parts) -> None:
        cards = parts.hdus[hdu][0]
        moved = [card for card in cards if card.startswith(words)]
        cards[:] = [card for card in cards if card not in moved] + moved * at_end

    return edit


def set_tree(old: str, new: str, start: str = "") -> Edit:
    """Return an edit that replaces the first match of a pattern after a text of the tree."""

    def edit(parts: Parts) -> None:
        text = "\n".join(parts.lines)
        offset = text.index(start)
        changed = text[:offset] + re.sub(old, new, text[offset:], count=1, flags=re.MULTILINE)
        assert changed != text
        parts.lines[:] = changed.split("\n")

    return edit


def split(data: bytes) -> Parts:
    """Take a sound file apart."""
    hdus, asdf = [], b""
    for cards, content in scan(data):
        hdus.append((cards, content))
        if _is_asdf(cards):
            asdf = content[: integer(cards, "NAXIS1")]
    end = asdf.index(b"\n...\n") + 5
    blocks = [MAGIC + block for block in asdf[end:].split(MAGIC)[1:]]
    return Parts(hdus, asdf[:end].decode().split("\n"), blocks)


def scan(data: bytes) -> Iterator[tuple[list[bytes], bytes]]:
    """Cards and padded data of each HDU."""
    position = 0
    while data[position : position + 8] in (b"SIMPLE  ", b"XTENSION"):
        cards = []
        while not cards or cards[-1][:8] != b"END     ":
            cards.append(data[position : position + CARD])
            position += CARD
        position += -position % BLOCK
        axes = [integer(cards, f"NAXIS{n + 1}") for n in range(integer(cards, "NAXIS"))]
        count = int(np.prod(axes, dtype=object)) + integer(cards, "PCOUNT", 0) if axes else 0
        size = abs(integer(cards, "BITPIX")) // 8 * count * integer(cards, "GCOUNT", 1)
        stop = position + size + -size % BLOCK
        yield cards[:-1], data[position:stop]
        position = stop


def value(cards: list[bytes], keyword: str) -> str | None:
    """Text of a card's value, of the first of its keyword."""
    start = keyword.ljust(8).encode() + b"="
    found = next((card for card in cards if card.startswith(start)), None)
    if found is None:
        return None
    text = found[10:].decode("latin-1").strip()
    return text[1:].partition("'")[0].strip() if text[:1] == "'" else text.split("/")[0].strip()


def integer(cards: list[bytes], keyword: str, default: int | None = None) -> int:
    """Value of a card that must be a number."""
    text = value(cards, keyword)
    return default if text is None and default is not None else int(float(str(text)))


def _header(cards: list[bytes]) -> bytes:
    return _padded(b"".join(cards) + b"END".ljust(CARD), b" ")


def _sized(card: bytes, size: int) -> bytes:
    """Card of an ASDF extension, made true where it tells of its size."""
    if card.startswith(b"NAXIS1  "):
        return f"NAXIS1  = {size:>20}".encode() + card[30:]
    if card.startswith(b"TFORM1  "):
        text = f"{size}B"
        return f"TFORM1  = '{text:8}'".ljust(CARD).encode()
    return card


def _padded(data: bytes, filler: bytes) -> bytes:
    return data + filler * (-len(data) % BLOCK)


def _is_asdf(cards: list[bytes]) -> bool:
    return value(cards, "EXTNAME") == "ASDF"


def edit_tree(path: Path, pattern: str, replacement: str) -> None:
    """Edit the last place of a file that matches, keeping its length."""
    content = path.read_bytes()
    found = list(re.finditer(pattern.encode(), content))[-1]
    new = found.expand(replacement.encode())
    assert len(new) == len(found[0]) and new != found[0]
    path.write_bytes(content[: found.start()] + new + content[found.end() :])


class File:
    """A file read by nothing of the library: planes by name and version, tree, blocks."""

    def __init__(self, data: bytes) -> None:
        self.planes: dict[tuple[str, int], tuple[list[bytes], bytes]] = {}
        asdf = b""
        for cards, content in scan(data):
            name = (value(cards, "EXTNAME") or "").upper() if self.planes else "PRIMARY"
            if name == "ASDF":
                asdf = content
            else:
                key = name, integer(cards, "EXTVER", 1) if self.planes else 1
                # Readers take the first of several.
                self.planes.setdefault(key, (cards, content))
        end = re.search(rb"\n\.\.\.\r?\n", asdf)
        self.tree = yaml.compose(asdf[: end.end()].decode(), Loader=LOADER)
        self.blocks = []
        position = asdf.find(MAGIC, end.end())
        while position >= 0 and asdf.startswith(MAGIC, position):
            header = 6 + int.from_bytes(asdf[position + 4 : position + 6])
            size = header + int.from_bytes(asdf[position + 14 : position + 22])
            self.blocks.append(asdf[position : position + size])
            position += size


def parts_of(node: yaml.Node | None) -> dict[str, yaml.Node]:
    """Parts of a mapping that have a value, none where it is something else."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    scalars = ((key.value, part) for key, part in pairs if isinstance(key, yaml.ScalarNode))
    return {key or "null": part for key, part in scalars if part.tag != NULL}


def at(node: yaml.Node | None, *path: str | int) -> Any:
    """Node at a path, None where there is none."""
    for key in path:
        node = node.value[key] if isinstance(key, int) else parts_of(node).get(key)
    return node


def form(file: File, node: yaml.Node | None, is_wcs: bool = False) -> Any:
    """Tags and content of a node, bytes in place of arrays.

    Keys without a value are left out, as asdf does, and repeated ones; of a WCS, nulls count.
    """
    if node is None or (node.tag == NULL and not is_wcs):
        return None
    if isinstance(node, yaml.ScalarNode):
        return node.tag, node.value if node.tag != NULL else ""
    if isinstance(node, yaml.SequenceNode):
        return node.tag, [form(file, part, is_wcs) for part in node.value]
    items = {}
    for key, part in node.value:
        is_array = node.tag.startswith(NDARRAY) and key.value == "source"
        within = is_wcs or key.value == "wcs"
        items[repr(form(file, key, True))] = (
            array_of(file, part) if is_array else form(file, part, within)
        )
    return node.tag, [item for item in items.items() if item[1] is not None]


def array_of(file: File, source: yaml.Node) -> tuple[Any, ...]:
    """What an array consists of: a plane's name, form and bytes, or those of a block."""
    if source.value.startswith("fits:"):
        name, _, version = source.value[5:].partition(",")
        cards, content = file.planes[name, int(version)]
        form = [value(cards, key) for key in ("BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "BZERO")]
        return name, form, content
    return (file.blocks[int(source.value)],)


def assert_same_numbers(ours: tuple[list[bytes], bytes], theirs: tuple[list[bytes], bytes]) -> None:
    """Assert that a plane has the numbers of another, cast to its datatype."""
    arrays = []
    for cards, content in (ours, theirs):
        kind, size = "f" if integer(cards, "BITPIX") < 0 else "i", abs(integer(cards, "BITPIX"))
        shape = [integer(cards, f"NAXIS{n}") for n in range(integer(cards, "NAXIS"), 0, -1)]
        stored = np.frombuffer(content, f">{'u1' if size == 8 else f'{kind}{size // 8}'}")
        numbers = stored[: math.prod(shape)].reshape(shape)
        zero = integer(cards, "BZERO", 0)
        arrays.append(numbers if kind == "f" and not zero else numbers.astype("i8") + zero)
    one, other = arrays
    if one.dtype.kind == "i":
        assert np.array_equal(one, other.astype("i8") % (1 << 32))
    else:
        assert np.array_equal(one, other.astype(one.dtype), equal_nan=True)


def judge(product: Path, exposures: list[tuple[str, bytes, int]]) -> None:
    """Assert that a product is right.

    Parameters
    ----------
    product : Path
        The product.
    exposures : list of (str, bytes, int)
        What its entries were made of: file name and content of the exposure, place of the slit.
    """
    data = product.read_bytes()
    assert len(data) % BLOCK == 0
    ours = File(data)
    with warnings.catch_warnings():
        # The cards of a damaged exposure may be odd without being wrong.
        warnings.simplefilter("ignore")
        with fits.open(product, memmap=False, lazy_load_hdus=False) as hdus:
            digest = fits_hash(hdus)
            assert [hdu.name for hdu in hdus[1:-1]] == [name for name, _ in list(ours.planes)[1:]]
            assert hdus[-1].name == "ASDF"
            assert hdus[0].header["DATAMODL"] == "MultiExposureModel"
            assert hdus[0].header["FILENAME"] == product.name
    assert at(ours.tree, "_fits_hash").value == digest
    entries = at(ours.tree, "exposures").value
    assert len(entries) == len(exposures)
    planes, files = 0, {}
    for place, (entry, (name, content, number)) in enumerate(
        zip(entries, exposures, strict=True), 1
    ):
        if content not in files:
            files[content] = File(content)
        theirs = files[content]
        slit = at(theirs.tree, "slits", number)
        headers = b"".join(_header(cards) for cards, _ in theirs.planes.values())
        stated = at(theirs.tree, "_fits_hash")
        edited = stated is None or stated.value != hashlib.sha256(headers).hexdigest()
        own, given = parts_of(entry), parts_of(slit)
        for key in own.keys() | given.keys():
            node = own.get(key)
            source = at(node, "source") if node is not None else None
            is_plane = source is not None and node.tag.startswith(NDARRAY)
            is_plane = is_plane and source.value.startswith("fits:")
            planes += is_plane
            if is_plane:
                # The header says which numbers these are, whatever the tree says; they may be cast.
                hdu = source.value[5:].partition(",")[0]
                assert_same_numbers(ours.planes[hdu, place], theirs.planes[hdu, number + 1])
            elif key != "meta" and not edited:
                assert form(ours, node) == form(theirs, given.get(key)), key
        meta, slit_meta = parts_of(own["meta"]), parts_of(given.get("meta"))
        assert meta["filename"].value == name
        assert form(ours, meta.get("wcs"), True) == form(theirs, slit_meta.get("wcs"), True)
        if not edited:
            for key, node in parts_of(at(theirs.tree, "meta")).items():
                if key not in NOT_COMMON and key not in slit_meta:
                    assert form(ours, meta.get(key)) == form(theirs, node), key
            kinds = [
                at(tree, "exposure", "type")
                for tree in (given.get("meta"), at(theirs.tree, "meta"))
            ]
            wanted = next(kind.value for kind in kinds if kind is not None and kind.tag != NULL)
            assert at(meta["exposure"], "type").value == wanted
    assert len(ours.planes) == 1 + planes
    assert at(ours.tree, "meta", "filename").value == product.name
    assert at(ours.tree, "meta", "model_type").value == "MultiExposureModel"
