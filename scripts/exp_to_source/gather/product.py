"""One product, spliced from the bytes of its exposures.

This code uses only the standard library, as the start of the program is most of its cost. All
copied bytes are compared with the digest in the manifest before the product gets its name: an
exposure that is not the one that was indexed ends the job.
"""

from __future__ import annotations

import hashlib
import os
import sys
from itertools import groupby

from .. import TYPE_CHECKING, __version__
from ..errors import InputError, exit_on_user_error
from ..files import atomic_write, date_now, write_all
from ..formats.cards import format_card, format_commentary, header_blocks, is_card_text, padded_size
from ..formats.indices import IndexReader
from ..formats.manifests import Manifest, read_manifest
from ..formats.rows import NamedRows, decode_named_rows, decode_rows
from ..formats.standards import newest
from ..formats.template import quote
from ..results import INDICES, index_name, manifest_name
from .entry import Entry, flow_mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from io import FileIO

MODEL = "MultiExposureModel"


def run(manifest: str, product: str, digest: str = "", indices: str = "", record: str = "") -> None:
    """Write a product; a failure is recorded in the file `record`, if there is one, and succeeds.

    The folder of the indices is by default ``index`` beside the folder of the manifest.
    """
    if not indices:
        results = os.path.dirname(os.path.dirname(os.path.abspath(manifest)))
        indices = os.path.join(results, INDICES)
    try:
        with exit_on_user_error("exp-to-source gather"):
            gather_source(manifest, product, indices, digest)
    except SystemExit as failure:
        if not record:
            raise
        from ..failures import record_failure

        with exit_on_user_error("exp-to-source gather"):
            record_failure(record, [product], str(failure))
        print(failure, file=sys.stderr)


def gather_source(manifest_path: str, product_path: str, indices: str, digest: str = "") -> None:
    """Write one source-based product from its manifest; it appears complete or not at all.

    It is an `InputError` if manifest, index (in the folder of indices) and exposure do not match,
    or if the manifest does not have this digest of the source list.
    """
    manifest = read_manifest(manifest_path)
    if manifest_name(manifest.product) != os.path.basename(manifest_path):
        raise InputError(
            f"{manifest_path}: is the manifest of {manifest.product}, renamed; delete it and run "
            "again"
        )
    if not manifest.digest.startswith(digest):
        raise InputError(
            f"{manifest_path}: is not the manifest of this source list; delete it and run again"
        )
    if not is_card_text(product_path):
        raise InputError(
            f"{product_path!r}: not a valid name of a FITS file; use printable ASCII only"
        )
    primary, entries = read_indices(indices, manifest.slits)
    product = Product(os.path.basename(product_path), manifest, entries, primary)
    with atomic_write(product_path) as file:
        product.write(file)


def read_indices(folder: str, slits: list[tuple[str, str]]) -> tuple[NamedRows, list[Entry]]:
    """Read the part that a product takes from its first exposure, and its entries.

    The slits of an exposure, each with a digest, come one after another.
    """
    primary = NamedRows()
    entries: list[Entry] = []
    latest = ""
    for exposure, group in groupby(slits, lambda slit: slit[0]):
        with IndexReader(os.path.join(folder, index_name(exposure))) as index:
            if reason := index.exposure.get("failure"):
                raise InputError(reason)
            standard = index.exposure["standard"]
            if not primary:
                primary, latest = decode_named_rows(index.part("primary_metadata")), standard
            elif standard != latest and newest((standard, latest)) == standard:
                # The preamble, which says how to read the tree, is that of the newest standard.
                later, latest = decode_named_rows(index.part("primary_metadata")), standard
                primary |= {name: later[name] for name in ("preamble", "extensions")}
            metadata = dict(decode_rows(index.part("exposure_metadata")))
            for _, digest in group:
                entries.append(Entry(index, metadata, digest, len(entries) + 1))
    return primary, entries


class Product:
    """A product: its entries, and the part that it takes from its first exposure."""

    def __init__(
        self, filename: str, manifest: Manifest, entries: list[Entry], primary: NamedRows
    ) -> None:
        self.filename = filename
        self.joined = manifest.joined
        self.entries = entries
        self.primary = primary
        self.date = date_now()
        self.standard = newest({entry.standard for entry in entries})
        types = [entry.layout.type for entry in entries if entry.layout.type]
        self.exposure_type = types[-1] if types else entries[0].exposure["stated_type"]
        asn = manifest.association
        self.association = {key: quote(value) for key, value in asn.items()}
        # A string that no FITS card can hold is only in the tree.
        self.association_cards = {
            word: asn[key]
            for word, key in (("ASNPOOL", "pool_name"), ("ASNTABLE", "table_name"))
            if key in asn and is_card_text(asn[key])
        }

    def write(self, file: FileIO) -> None:
        """Write the product: PRIMARY, HDUs of entries, ASDF."""
        header = header_blocks(self.primary_cards())
        headers = hashlib.sha256(header)
        write_all(file, header)
        for entry in self.entries:
            entry.copy_hdus(file, headers, self.primary)
        text = self.document(headers.hexdigest()).encode()
        sizes = [size for entry in self.entries for _, size in entry.layout.blocks]
        tail = block_index(len(text), sizes)
        size = len(text) + sum(sizes) + len(tail)
        write_all(file, asdf_header(size) + text)
        for entry in self.entries:
            entry.copy_blocks(file)
        write_all(file, tail + bytes(padded_size(size) - size))

    def primary_cards(self) -> Iterator[bytes]:
        """Cards of PRIMARY: those of the first exposure, the product's own, and its history."""
        primary = self.primary
        about_asn: Sequence[Sequence[str]] = primary["about_asn"]
        if self.association:
            cards = {word: image for word, image in about_asn if word}
            cards |= dict.fromkeys(self.association_cards, "")
            about_asn = [("", primary.one("section")), *sorted(cards.items())]
        comments = dict(primary["comment"])
        values = {
            "DATE": self.date,
            "FILENAME": self.filename,
            "DATAMODL": MODEL,
            "EXP_TYPE": self.exposure_type,
        } | self.association_cards
        for word, image in (*primary["before"], *about_asn, *primary["after"]):
            if word in values:
                yield format_card(word, values[word], comments[word])
            else:
                yield image.encode("ascii")
        history = [f"Source-based product, made by exp_to_source {__version__} of:"]
        history += dict.fromkeys(os.path.basename(entry.path) for entry in self.entries)
        if self.joined:
            history += ["Joined by the user, of what would be:", *self.joined]
        for text in history:
            yield format_commentary("HISTORY", text)

    def document(self, fits_hash: str) -> str:
        """Compose the YAML document of the product, after its HDUs were copied."""
        primary, first = self.primary, self.entries[0]
        extensions = primary.one("extensions")
        tree = "".join(f"{key}: {text}\n" for key, text in primary["tree"])
        lines = [
            primary.one("preamble"),
            "%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n",
            first.with_tags(tree, self.standard),
            f"history: {{extensions: {extensions}}}\n" if extensions else "",
            f"_fits_hash: {fits_hash}\n",
            "exposures:\n",
        ]
        first_block = 0
        for entry in self.entries:
            lines.append(entry.tree(first_block, self.association, self.standard))
            first_block += len(entry.layout.blocks)
        meta, exposure, asn = (dict(primary[name]) for name in ("meta", "exposure", "asn"))
        if self.exposure_type:
            exposure["type"] = quote(self.exposure_type)
        meta["exposure"] = flow_mapping(exposure)
        if asn or self.association:
            meta["asn"] = flow_mapping(asn | self.association)
        for key, value in (("date", self.date), ("filename", self.filename), ("model_type", MODEL)):
            meta[key] = quote(value)
        metadata = "".join(f"  {key}: {meta[key]}\n" for key in sorted(meta))
        lines += ["meta:\n", first.with_tags(metadata, self.standard), "...\n"]
        return "".join(lines)


def block_index(start: int, sizes: list[int]) -> bytes:
    """Index of the internal blocks: their offsets from the start of the extension."""
    if not sizes:
        return b""
    lines = ["#ASDF BLOCK INDEX\n%YAML 1.1\n---\n"]
    for size in sizes:
        lines.append(f"- {start}\n")
        start += size
    return "".join((*lines, "...\n")).encode()


def asdf_header(size: int) -> bytes:
    """Header of the ASDF extension, as stdatamodels writes it with astropy."""
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
