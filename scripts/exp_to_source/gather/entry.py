"""One slit of one exposure, copied into a product as its entry.

All copied bytes are compared with the slit's digest.
"""

from __future__ import annotations

import hashlib
import os

from .. import TYPE_CHECKING
from ..errors import InputError
from ..files import write_all
from ..formats.cards import apply_plan, finish_header, padded_size
from ..formats.indices import IndexReader
from ..formats.layouts import encode_metadata
from ..formats.rows import DIGEST_SIZE, NamedRows
from ..formats.standards import strip_marks, update_tags
from ..formats.template import META_PLACEHOLDER, apply_replacements, fill_placeholders, quote

if TYPE_CHECKING:
    from io import FileIO

    Cast = tuple[int, ...]

BUFFER = 1 << 20


class Entry:
    """One slit of one exposure, to be copied into a product: HDUs, then tree, then blocks.

    It has a `number` within the product, from 1. `metadata` is that of the exposure, as YAML.
    """

    def __init__(self, index: IndexReader, meta: dict[str, str], digest: str, number: int) -> None:
        layout = index.layout(digest)
        if layout is None:
            raise InputError(
                f"{index.path}: has no slit {digest}: the index is newer than the manifest; "
                "run again"
            )
        self.index, self.exposure = index.path, index.exposure
        self.path, self.standard = index.exposure["path"], index.exposure["standard"]
        self.metadata, self.digest = meta, digest
        self.number, self.layout = number, layout
        in_index, *span = layout.text
        self.text = index.text(*span) if in_index else b""
        self.check = index.new_digest()
        self.template = ""

    def open(self) -> int:
        """Open the exposure, which must have the size that was indexed."""
        try:
            file = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            raise InputError(
                f"{self.path}: has disappeared since it was indexed; bring it back"
            ) from None
        if os.fstat(file).st_size != int(self.exposure["size"]):
            os.close(file)
            raise self.changed()
        return file

    def changed(self) -> InputError:
        """Return the error that the exposure is not the one that was indexed."""
        # Its size and time may be those that were indexed: no rerun would notice by itself.
        return InputError(
            f"{self.path}: changed since it was indexed; delete {self.index} and run again"
        )

    def with_tags(self, text: str, standard: str) -> str:
        """Give a text of the entry or its exposure the tags of the product's ASDF standard."""
        return strip_marks(text) if self.standard == standard else update_tags(text)

    def copy_hdus(self, out: FileIO, headers: hashlib._Hash, primary: NamedRows) -> None:
        """Copy the HDUs, with the entry's number as EXTVER, and read the slit's part of the tree.

        `headers` is the hash of all headers.
        """
        first_cards = primary["sci"] if self.number == 1 else []
        text = self.text
        file = self.open()
        try:
            for hdu, (start, header_size, data_size, plan) in enumerate(self.layout.hdus):
                raw = os.pread(file, header_size, start)
                if len(raw) < header_size:
                    raise self.changed()
                cards = apply_plan(raw, plan)
                self.check.update(cards)
                header = finish_header(cards, self.number, first_cards)
                headers.update(header)
                write_all(out, header)
                cast = self.layout.casts.get(hdu, ())
                self.copy(file, start + header_size, data_size, out, self.check, cast)
            if not text:
                _, start, size = self.layout.text
                text = os.pread(file, size, start)
        finally:
            os.close(file)
        try:
            self.template = apply_replacements(text.decode(), self.layout.replacements)
        except UnicodeDecodeError:
            raise self.changed() from None
        self.check.update(self.template.encode())

    def tree(self, first_block: int, association: dict[str, str], standard: str) -> str:
        """Text of the entry in the tree, with the exposure's metadata merged over the slit's."""
        layout = self.layout
        meta = dict(self.metadata)
        if layout.asn is not None or association:
            meta["asn"] = flow_mapping((layout.asn or {}) | association)
        lines = (f"    {key}: {meta[key]}\n" for key in meta if key not in layout.overrides)
        template = self.template.replace(META_PLACEHOLDER, "".join(lines))
        exposure_type = quote(layout.type or self.exposure["stated_type"])
        try:
            text = fill_placeholders(template, self.number, first_block, exposure_type)
        except ValueError:
            # A placeholder that no index has written.
            raise self.changed() from None
        return self.with_tags(text, standard)

    def copy_blocks(self, out: FileIO) -> None:
        """Copy the internal blocks, the last part of the slit, and compare the digest."""
        layout = self.layout
        self.check.update(encode_metadata(layout.overrides, layout.asn, layout.type))
        if layout.blocks:
            file = self.open()
            try:
                for start, size in layout.blocks:
                    block = hashlib.sha256()
                    self.copy(file, start, size, out, block)
                    self.check.update(block.hexdigest()[:DIGEST_SIZE].encode())
            finally:
                os.close(file)
        if self.check.hexdigest()[:DIGEST_SIZE] != self.digest:
            raise self.changed()

    def copy(
        self, file: int, start: int, size: int, out: FileIO, check: hashlib._Hash, cast: Cast = ()
    ) -> None:
        """Copy part of the exposure, and add it to a digest.

        Data may be `cast`: their size without padding, and the arguments of `cast_data`.
        """
        if cast:
            # Few exposures need it.
            from ..formats.casting import cast_data
        written = 0
        while size:
            data = os.pread(file, min(size, BUFFER), start)
            if not data:
                raise self.changed()
            check.update(data)
            start += len(data)
            size -= len(data)
            if cast:
                left, *arguments = cast
                cast = (max(left - len(data), 0), *arguments)
                try:
                    data = cast_data(data[:left], *arguments)
                except ValueError:
                    # The index has checked the numbers.
                    raise self.changed() from None
                written += len(data)
            write_all(out, data)
        write_all(out, bytes(padded_size(written) - written))


def flow_mapping(texts: dict[str, str]) -> str:
    """Format a mapping of YAML texts in one line."""
    return f"{{{', '.join(f'{key}: {text}' for key, text in texts.items())}}}"
