"""One product, spliced from the bytes of its exposures.

This code uses only the standard library, as the start of the program is most of its cost. All
copied bytes are compared with the digest in the manifest before the product gets its name: an
exposure that is not the one that was indexed ends the job.
"""

from __future__ import annotations

import os
from itertools import groupby

from .. import TYPE_CHECKING, __version__
from ..errors import InputError
from ..files import atomic_write, date_now, write_all
from ..formats.cards import (
    format_card,
    format_commentary,
    header_blocks,
    is_card_text,
    padded_size,
)
from ..formats.indices import IndexReader
from ..formats.manifests import Manifest, read_manifest
from ..formats.rows import NamedRows, decode_named_rows, decode_rows, get_all, get_one
from ..formats.standards import newest
from ..formats.template import quote
from ..results import index_name, manifest_name
from .entry import Entry, Output, PartCopied, flow_mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from io import FileIO

MODEL = "MultiExposureModel"


def gather_source(manifest_path: str, product_path: str, index_folder: str) -> None:
    """Write one source-based product.

    Parameters
    ----------
    manifest_path : str
        The product's manifest, as written with the source list.
    product_path : str
        FITS file to write; it appears complete or not at all.
    index_folder : str
        Where the indices of the exposures are.

    Raises
    ------
    InputError
        If manifest, index and exposure do not match.
    """
    manifest = read_manifest(manifest_path)
    if manifest_name(manifest.product) != os.path.basename(manifest_path):
        raise InputError(
            f"{manifest_path}: is the manifest of {manifest.product}, renamed; delete it and run "
            "again"
        )
    if not is_card_text(product_path):
        raise InputError(f"{product_path!r}: no name for a FITS file: printable ASCII is needed")
    top, entries = read_indices(index_folder, manifest.slits)
    product = Product(os.path.basename(product_path), manifest, entries, top)
    with atomic_write(product_path) as file:
        product.write(file)


def read_indices(folder: str, slits: list[tuple[str, str]]) -> tuple[NamedRows, list[Entry]]:
    """Read the part that a product takes from its first exposure, and its entries.

    Parameters
    ----------
    folder : str
        Where the indices are.
    slits : list of (str, str)
        Name of the exposure and digest of each slit, those of an exposure one after another.
    """
    top: NamedRows = {}
    entries: list[Entry] = []
    standard = ""
    for exposure, group in groupby(slits, lambda slit: slit[0]):
        with IndexReader(os.path.join(folder, index_name(exposure))) as index:
            if why := index.exposure.get("failure"):
                raise InputError(why)
            own = index.exposure["standard"]
            if not top:
                top, standard = decode_named_rows(index.part("top")), own
            elif own != standard and newest((own, standard)) == own:
                # The preamble, which says how to read the tree, is that of the newest standard.
                later, standard = decode_named_rows(index.part("top")), own
                top |= {name: get_all(later, name) for name in ("preamble", "extensions")}
            common = dict(decode_rows(index.part("common")))
            entries += (Entry(index, common, digest) for _, digest in group)
    return top, entries


class Product:
    """A product: its entries, and the part that it takes from its first exposure.

    Parameters
    ----------
    filename : str
        Name of the product's file.
    manifest : Manifest
        What it is made of.
    entries : list of Entry
        Its slits, in order.
    top : NamedRows
        The part that it takes from its first exposure.
    """

    def __init__(
        self,
        filename: str,
        manifest: Manifest,
        entries: list[Entry],
        top: NamedRows,
    ) -> None:
        self.filename = filename
        self.joined = manifest.joined
        self.entries = entries
        self.top = top
        self.date = date_now()
        self.standard = newest({entry.standard for entry in entries})
        kinds = [entry.record.type for entry in entries if entry.record.type]
        self.kind = kinds[-1] if kinds else entries[0].exposure["stated_type"]
        about = manifest.association
        self.association = {key: quote(value) for key, value in about.items()}
        # A string that no FITS card can hold is only in the tree.
        self.association_cards = {
            word: about[key]
            for word, key in (("ASNPOOL", "pool_name"), ("ASNTABLE", "table_name"))
            if key in about and is_card_text(about[key])
        }

    def write(self, file: FileIO) -> None:
        """Write the product: PRIMARY, planes, ASDF."""
        out = Output(file)
        out.header(header_blocks(self.primary_cards()))
        parts = [
            entry.copy_planes(number, self.top, out) for number, entry in enumerate(self.entries, 1)
        ]
        text = self.document(parts, out.hash.hexdigest()).encode()
        sizes = [size for entry in self.entries for _, size in entry.record.blocks]
        tail = block_index(len(text), sizes)
        size = len(text) + sum(sizes) + len(tail)
        write_all(file, asdf_header(size) + text)
        for part in parts:
            part.copy_blocks(file)
        write_all(file, tail + bytes(padded_size(size) - size))

    def primary_cards(self) -> Iterator[bytes]:
        """Cards of PRIMARY: those of the first exposure, the product's own, and its history."""
        top = self.top
        about_asn: Sequence[Sequence[str]] = get_all(top, "about_asn")
        if self.association:
            cards = {word: image for word, image in about_asn if word}
            cards |= dict.fromkeys(self.association_cards, "")
            about_asn = [("", get_one(top, "section")), *sorted(cards.items())]
        comments = dict(get_all(top, "comment"))
        own = {
            "DATE": self.date,
            "FILENAME": self.filename,
            "DATAMODL": MODEL,
            "EXP_TYPE": self.kind,
        } | self.association_cards
        for word, image in (*get_all(top, "before"), *about_asn, *get_all(top, "after")):
            if word in own:
                yield format_card(word, own[word], comments[word])
            else:
                yield image.encode("ascii")
        history = [f"Source-based product, made by exp_to_source {__version__} of:"]
        history += dict.fromkeys(os.path.basename(entry.path) for entry in self.entries)
        if self.joined:
            history += ["Joined by the user, of what would be:", *self.joined]
        for text in history:
            yield format_commentary("HISTORY", text)

    def document(self, parts: list[PartCopied], fits_hash: str) -> str:
        """YAML document of the product, after its planes were copied."""
        top, first = self.top, self.entries[0]
        extensions = get_one(top, "extensions")
        lines = [
            get_one(top, "preamble"),
            "%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n",
            *(
                first.tagged(f"{key}: {text}\n", self.standard)
                for key, text in get_all(top, "tree")
            ),
            f"history: {{extensions: {extensions}}}\n" if extensions else "",
            f"_fits_hash: {fits_hash}\n",
            "exposures:\n",
        ]
        first_block = 0
        for part in parts:
            lines.append(part.tree(first_block, self.association, self.standard))
            first_block += len(part.entry.record.blocks)
        meta, exposure, asn = (dict(get_all(top, name)) for name in ("meta", "exposure", "asn"))
        kind = {"type": quote(self.kind)} if self.kind else {}
        meta["exposure"] = flow_mapping(exposure | kind)
        if asn or self.association:
            meta["asn"] = flow_mapping(asn | self.association)
        for key, value in (("date", self.date), ("filename", self.filename), ("model_type", MODEL)):
            meta[key] = quote(value)
        lines.append("meta:\n")
        lines += (first.tagged(f"  {key}: {meta[key]}\n", self.standard) for key in sorted(meta))
        lines.append("...\n")
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
