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
from ..formats.checksums import DIGEST_SIZE
from ..formats.indices import IndexReader
from ..formats.layouts import encode_metadata
from ..formats.rows import NamedRows, get_all
from ..formats.standards import strip_marks, update_tags
from ..formats.template import META_PLACEHOLDER, apply_replacements, fill_placeholders, quote

if TYPE_CHECKING:
    from io import FileIO

BUFFER = 1 << 20


class Entry:
    """One slit of one exposure, to be copied into a product.

    Parameters
    ----------
    index : IndexReader
        The index of the exposure.
    common : dict of str
        The part ``common`` of the index: key to YAML text.
    digest : str
        Digest of the slit.

    Raises
    ------
    InputError
        If the index does not have that slit.
    """

    def __init__(self, index: IndexReader, common: dict[str, str], digest: str) -> None:
        self.digest = digest
        self.index = index.path
        self.exposure = index.exposure
        self.common = common
        record = index.record(digest)
        if record is None:
            raise InputError(
                f"{index.path}: has no slit {digest}: the index is newer than the manifest; "
                "run again"
            )
        self.record = record
        kept, *self.place = record.text
        self.text = index.text(*self.place) if kept else b""
        self.new_digest = index.new_digest
        self.path = self.exposure["path"]
        self.standard = self.exposure["standard"]

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

    def tagged(self, text: str, standard: str) -> str:
        """Text of the entry or its exposure, with the tags of the product's ASDF standard."""
        return strip_marks(text) if self.standard == standard else update_tags(text)

    def copy_planes(self, number: int, top: NamedRows, out: Output) -> PartCopied:
        """Copy the planes, with the number of the entry as EXTVER.

        Returns
        -------
        PartCopied
            The entry, with its tree and blocks still to be copied.
        """
        first_cards = get_all(top, "sci") if number == 1 else []
        check = self.new_digest()
        text = self.text
        file = self.open()
        try:
            for place, (start, header_size, data_size, plan) in enumerate(self.record.planes):
                raw = os.pread(file, header_size, start)
                if len(raw) < header_size:
                    raise self.changed()
                cards = apply_plan(raw, plan)
                check.update(cards)
                out.header(finish_header(cards, number, first_cards))
                cast = self.record.casts.get(place, ())
                self.copy(file, start + header_size, data_size, out.file, check, cast)
            if not text:
                begin, size = self.place
                text = os.pread(file, size, begin)
        finally:
            os.close(file)
        try:
            fragment = apply_replacements(text.decode(), self.record.edits)
        except UnicodeDecodeError:
            raise self.changed() from None
        check.update(fragment.encode())
        return PartCopied(self, number, fragment, check)

    def copy(
        self,
        file: int,
        start: int,
        size: int,
        out: FileIO,
        check: hashlib._Hash,
        cast: tuple[int, ...] = (),
    ) -> None:
        """Copy part of the exposure, and add it to a digest.

        A plane may be `cast`: its size without padding, and the arguments of `cast_data`.
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


class PartCopied:
    """An entry whose planes are in the product; its part of the tree and its blocks are next.

    Parameters
    ----------
    entry : Entry
        The entry.
    number : int
        Its number within the product, from 1.
    fragment : str
        Text of the slit in the tree, with marks.
    check : hash
        Digest of all copied bytes.
    """

    def __init__(self, entry: Entry, number: int, fragment: str, check: hashlib._Hash) -> None:
        self.entry = entry
        self.number = number
        self.fragment = fragment
        self.check = check

    def tree(self, first_block: int, association: dict[str, str], standard: str) -> str:
        """Text of the entry in the tree, with the exposure's metadata merged over the slit's."""
        record = self.entry.record
        meta = dict(self.entry.common)
        if record.asn is not None or association:
            meta["asn"] = flow_mapping((record.asn or {}) | association)
        lines = (f"    {key}: {meta[key]}\n" for key in meta if key not in record.own)
        fragment = self.fragment.replace(META_PLACEHOLDER, "".join(lines))
        kind = record.type or self.entry.exposure["stated_type"]
        try:
            text = fill_placeholders(fragment, self.number, first_block, quote(kind))
        except ValueError:
            # A mark that no index made.
            raise self.entry.changed() from None
        return self.entry.tagged(text, standard)

    def copy_blocks(self, out: FileIO) -> None:
        """Copy the internal blocks, the last part of the slit, and compare the digest."""
        entry, record = self.entry, self.entry.record
        check = self.check
        check.update(encode_metadata(record.own, record.asn, record.type))
        if record.blocks:
            file = entry.open()
            try:
                for start, size in record.blocks:
                    block = hashlib.sha256()
                    entry.copy(file, start, size, out, block)
                    check.update(block.hexdigest()[:DIGEST_SIZE].encode())
            finally:
                os.close(file)
        if check.hexdigest()[:DIGEST_SIZE] != entry.digest:
            raise entry.changed()


class Output:
    """A product being written, and the hash of its headers."""

    def __init__(self, file: FileIO) -> None:
        self.file = file
        self.hash = hashlib.sha256()

    def header(self, raw: bytes) -> None:
        """Write a header, and add it to `_fits_hash`."""
        self.hash.update(raw)
        write_all(self.file, raw)


def flow_mapping(texts: dict[str, str]) -> str:
    """YAML of a mapping, in one line."""
    return f"{{{', '.join(f'{key}: {text}' for key, text in texts.items())}}}"
