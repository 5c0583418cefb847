"""One product, spliced from the bytes of its exposures.

Only the standard library is used on this path, as the start of the program is most of its cost.
Everything that is copied is compared with the digest in the manifest before the product takes
its name: an exposure that is not the one that was indexed ends the job.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, BinaryIO

from . import FORMAT, __version__
from .cards import (
    commentary,
    finished_header,
    format_card,
    header_blocks,
    is_card_text,
    padded,
    planned_cards,
)
from .errors import InputError
from .files import replacing, write_all
from .fragments import META_MARK, apply_edits, fill_marks, quoted
from .index import DIGEST_SIZE, IndexReader, line, new_digest, unsealed

BUFFER = 1 << 20
MODEL = "MultiExposureModel"

#: The keywords of a product (and, of the same values, attributes of its tree) that differ from
#: one run to the next; all the rest of its bytes follows from its input. The environment
#: variable SOURCE_DATE_EPOCH (seconds) fixes them.
DATE_KEYWORDS = ("DATE",)


def gather_source(manifest_path: str, product_path: str, index_folder: str) -> None:
    """Write one source-based product.

    Parameters
    ----------
    manifest_path : str
        The product's manifest, as `grouping` writes it.
    product_path : str
        FITS file to write; it appears whole or not at all.
    index_folder : str
        Where the indices of the exposures are.

    Raises
    ------
    InputError
        If manifest, index and exposure do not fit each other.
    """
    manifest = read_manifest(manifest_path)
    if not is_card_text(product_path):
        raise InputError(f"{product_path!r}: no name for a FITS file: printable ASCII is needed")
    top, entries = read_indices(index_folder, manifest["slits"])
    product = Product(os.path.basename(product_path), manifest, entries, top)
    with replacing(product_path) as file:
        product.write(file)


def read_manifest(path: str) -> dict[str, Any]:
    """Read a manifest.

    Raises
    ------
    InputError
        If it is not one, or of another version.
    """
    with open(path, "rb") as file:
        manifest = unsealed(file.read())
    if manifest is None or manifest["format"] != FORMAT:
        raise InputError(
            f"{path}: not a manifest of this version, or damaged; delete the file and run again"
        )
    return manifest


def read_indices(folder: str, slits: list[list[str]]) -> tuple[dict[str, Any], list["Entry"]]:
    """Read what a product has from its first exposure, and its entries.

    Parameters
    ----------
    folder : str
        Where the indices are.
    slits : list of [str, str]
        Name of the exposure and digest of each slit, those of an exposure one after another.
    """
    top: dict[str, Any] = {}
    entries: list[Entry] = []
    for exposure, group in groupby(slits, key=itemgetter(0)):
        with IndexReader(os.path.join(folder, f"{exposure}.jsonl")) as index:
            top = top or json.loads(index.part("top"))
            common = index.part("common")
            entries += (Entry(index, common, digest) for _, digest in group)
    return top, entries


class Entry:
    """One slit of one exposure, as part of a product.

    Parameters
    ----------
    index : IndexReader
        The index of the exposure.
    common : bytes
        Its part of that name.
    digest : str
        Digest of the slit.

    Raises
    ------
    InputError
        If the index does not have that slit.
    """

    def __init__(self, index: IndexReader, common: bytes, digest: str) -> None:
        self.digest = digest
        self.exposure = index.exposure
        self.common = common
        record = index.record(digest)
        if record is None:
            raise InputError(
                f"{index.path}: has no slit {digest}: the index is newer than the manifest; "
                "run again"
            )
        self.record = record
        kept, place, size = record["text"]
        self.text = index.text(place, size) if kept else b""
        self.path: str = self.exposure["path"]
        self.check = new_digest(self.exposure["common"][2], self.exposure["top"][2])

    def open(self) -> int:
        """Open the exposure; it must have the size it had when it was indexed."""
        try:
            file = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            raise InputError(f"{self.path}: is gone since it was indexed; bring it back") from None
        if os.fstat(file).st_size != self.exposure["size"]:
            os.close(file)
            raise self.changed()
        return file

    def changed(self) -> InputError:
        """Tell that the exposure is not the one that was indexed."""
        return InputError(f"{self.path}: changed since it was indexed; run again")

    def copy_planes(self, number: int, top: dict[str, Any], out: "Output") -> None:
        """Copy the planes, EXTVER being the number of the entry, and keep the slit's text."""
        file = self.open()
        try:
            for start, header_size, data_size, plan in self.record["planes"]:
                raw = os.pread(file, header_size, start)
                if len(raw) < header_size:
                    raise self.changed()
                cards = planned_cards(raw, plan)
                self.check.update(cards)
                out.header(finished_header(cards, number, top["sci"] if number == 1 else ()))
                self.copy(file, start + header_size, data_size, out.file, self.check)
            if not self.text:
                self.text = os.pread(file, self.record["text"][2], self.record["text"][1])
        finally:
            os.close(file)
        try:
            text = self.text.decode()
        except UnicodeDecodeError:
            raise self.changed() from None
        self.fragment = apply_edits(text, self.record["edits"])
        self.check.update(self.fragment.encode())

    def copy(self, file: int, start: int, size: int, out: BinaryIO, check: "hashlib._Hash") -> None:
        """Copy part of the exposure, and add it to a digest."""
        buffer = memoryview(bytearray(min(size, BUFFER)))
        while size:
            count = os.preadv(file, [buffer[: min(size, BUFFER)]], start)
            if not count:
                raise self.changed()
            check.update(buffer[:count])
            write_all(out, buffer[:count])
            start += count
            size -= count

    def copy_blocks(self, out: BinaryIO) -> None:
        """Copy the internal blocks, the last part of the slit, and compare the digest."""
        digests = []
        if self.record["blocks"]:
            file = self.open()
            try:
                for start, size in self.record["blocks"]:
                    check = hashlib.sha256()
                    self.copy(file, start, size, out, check)
                    digests.append(check.hexdigest()[:DIGEST_SIZE])
            finally:
                os.close(file)
        self.check.update(line([*(self.record[key] for key in ("own", "asn", "type")), digests]))
        if self.check.hexdigest()[:DIGEST_SIZE] != self.digest:
            raise self.changed()

    def tree(self, number: int, first_block: int, association: dict[str, str]) -> str:
        """Entry of the product's tree, the exposure's metadata merged over the slit's."""
        meta: dict[str, str] = json.loads(self.common)["meta"]
        if self.record["asn"] is not None or association:
            meta["asn"] = flow_mapping((self.record["asn"] or {}) | association)
        lines = (f"    {key}: {meta[key]}\n" for key in meta if key not in self.record["own"])
        fragment = self.fragment.replace(META_MARK, "".join(lines))
        kind = self.record["type"] or self.exposure["exposure_type"]
        return fill_marks(fragment, number, first_block, json.dumps(kind))


class Output:
    """A product being written, and the hash of its headers."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.hash = hashlib.sha256()

    def header(self, raw: bytes) -> None:
        """Write a header that counts for `_fits_hash`."""
        self.hash.update(raw)
        write_all(self.file, raw)


class Product:
    """A product: its entries, and what it has from the first of them.

    Parameters
    ----------
    filename : str
        Name of the product's file.
    manifest : dict
        Its manifest.
    entries : list of Entry
        Its slits, in order.
    top : dict
        What it has from its first exposure.
    """

    def __init__(
        self,
        filename: str,
        manifest: dict[str, Any],
        entries: list[Entry],
        top: dict[str, Any],
    ) -> None:
        self.filename = filename
        self.joined: list[str] = manifest["joined"]
        self.entries = entries
        self.top = top
        self.date = date_now()
        kinds = [entry.record["type"] for entry in entries if entry.record["type"]]
        self.kind = kinds[-1] if kinds else self.top["type"]
        about: dict[str, str] = manifest["association"] or {}
        self.association = {key: quoted(value) for key, value in about.items()}
        # Text that no FITS card can hold stays in the tree alone.
        self.association_cards = {
            word: about[key]
            for word, key in (("ASNPOOL", "pool_name"), ("ASNTABLE", "table_name"))
            if key in about and is_card_text(about[key])
        }

    def write(self, file: BinaryIO) -> None:
        """Write the product: PRIMARY, planes, ASDF."""
        out = Output(file)
        out.header(header_blocks(self.primary_cards()))
        for number, entry in enumerate(self.entries, 1):
            entry.copy_planes(number, self.top, out)
        text = self.document(out.hash.hexdigest()).encode()
        sizes = [size for entry in self.entries for _, size in entry.record["blocks"]]
        tail = block_index(len(text), sizes)
        size = len(text) + sum(sizes) + len(tail)
        write_all(file, asdf_header(size) + text)
        for entry in self.entries:
            entry.copy_blocks(file)
        write_all(file, tail + bytes(padded(size) - size))

    def primary_cards(self) -> Iterator[bytes]:
        """Cards of PRIMARY: those of the first exposure, the product's own, its history."""
        parts = self.top["primary"]
        asn = parts["asn"]
        if self.association:
            cards = {word: image for word, image in asn if word}
            cards |= dict.fromkeys(self.association_cards, "")
            asn = [["", parts["section"]], *sorted(cards.items())]
        own = {
            "DATE": self.date,
            "FILENAME": self.filename,
            "DATAMODL": MODEL,
            "EXP_TYPE": self.kind,
        } | self.association_cards
        for word, image in (*parts["before"], *asn, *parts["after"]):
            if word in own:
                yield format_card(word, own[word], parts["comments"][word])
            else:
                yield image.encode("ascii")
        history = [f"Source-based product, made by exp_to_source {__version__} of:"]
        history += dict.fromkeys(os.path.basename(entry.path) for entry in self.entries)
        if self.joined:
            history += ["Joined by the user, of what would be:", *self.joined]
        for text in history:
            yield commentary("HISTORY", text)

    def document(self, fits_hash: str) -> str:
        """YAML document of the product."""
        top = self.top
        lines = [
            top["preamble"],
            "%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n",
            *(f"{key}: {text}\n" for key, text in top["tree"].items()),
            f"history: {{extensions: {top['extensions']}}}\n" if top["extensions"] else "",
            f"_fits_hash: {fits_hash}\n",
            "exposures:\n",
        ]
        first_block = 0
        for number, entry in enumerate(self.entries, 1):
            lines.append(entry.tree(number, first_block, self.association))
            first_block += len(entry.record["blocks"])
        meta = dict(top["meta"])
        meta["exposure"] = flow_mapping(top["exposure"] | {"type": json.dumps(self.kind)})
        if top["asn"] or self.association:
            meta["asn"] = flow_mapping(top["asn"] | self.association)
        for key, value in (("date", self.date), ("filename", self.filename), ("model_type", MODEL)):
            meta[key] = json.dumps(value)
        lines.append("meta:\n")
        lines += (f"  {key}: {meta[key]}\n" for key in sorted(meta))
        lines.append("...\n")
        return "".join(lines)


def flow_mapping(texts: dict[str, str]) -> str:
    """YAML of a mapping, in one line."""
    return f"{{{', '.join(f'{key}: {text}' for key, text in texts.items())}}}"


def date_now() -> str:
    """Time of writing (UTC, ISO 8601, milliseconds), or that of SOURCE_DATE_EPOCH."""
    now = float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}"


def block_index(start: int, sizes: list[int]) -> bytes:
    """Index of the internal blocks: their places in the ASDF file, which begins the extension."""
    if not sizes:
        return b""
    lines = ["#ASDF BLOCK INDEX\n%YAML 1.1\n---\n"]
    for size in sizes:
        lines.append(f"- {start}\n")
        start += size
    return "".join((*lines, "...\n")).encode()


def asdf_header(size: int) -> bytes:
    """Header of the ASDF extension, as stdatamodels has astropy write it."""
    cards: Iterable[tuple[str, str | int, str]] = (
        ("XTENSION", "BINTABLE", "binary table extension"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 2, "number of array dimensions"),
        ("NAXIS1", size, "length of dimension 1"),
        ("NAXIS2", 1, "length of dimension 2"),
        ("PCOUNT", 0, "number of group parameters"),
        ("GCOUNT", 1, "number of groups"),
        ("TFIELDS", 1, "number of table fields"),
        ("TTYPE1", "ASDF_METADATA", ""),
        ("TFORM1", f"{size}B", ""),
        ("EXTNAME", "ASDF", "extension name"),
    )
    return header_blocks(format_card(*card) for card in cards)
