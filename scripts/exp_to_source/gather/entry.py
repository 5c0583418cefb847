"""One slit of one exposure, copied into a product as its entry.

Everything that is copied is compared with the slit's digest.
"""

import hashlib
import json
import os
from typing import Any, BinaryIO

from ..errors import ChangedError, InputError
from ..files import write_all
from ..formats.cards import finished_header, planned_cards
from ..formats.fragments import META_MARK, apply_edits, fill_marks
from ..formats.indices import DIGEST_SIZE, IndexReader, line, new_digest
from ..formats.standards import keep_tags, renew_tags

BUFFER = 1 << 20


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
        kept, place, size = record["text"]
        self.text = index.text(place, size) if kept else b""
        self.path: str = self.exposure["path"]
        self.standard: str = self.exposure["standard"]
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

    def changed(self) -> ChangedError:
        """Tell that the exposure is not the one that was indexed."""
        return ChangedError(self.path, self.index)

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

    def tree(
        self, number: int, first_block: int, association: dict[str, str], standard: str
    ) -> str:
        """Entry of the product's tree, the exposure's metadata merged over the slit's."""
        meta: dict[str, str] = json.loads(self.common)["meta"]
        if self.record["asn"] is not None or association:
            meta["asn"] = flow_mapping((self.record["asn"] or {}) | association)
        lines = (f"    {key}: {meta[key]}\n" for key in meta if key not in self.record["own"])
        fragment = self.fragment.replace(META_MARK, "".join(lines))
        kind = self.record["type"] or self.exposure["exposure_type"]
        text = fill_marks(fragment, number, first_block, json.dumps(kind))
        return self.tagged(text, standard)

    def tagged(self, text: str, standard: str) -> str:
        """Text of the entry or its exposure, with the tags of the product's ASDF standard."""
        return keep_tags(text) if self.standard == standard else renew_tags(text)


class Output:
    """A product being written, and the hash of its headers."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.hash = hashlib.sha256()

    def header(self, raw: bytes) -> None:
        """Write a header that counts for `_fits_hash`."""
        self.hash.update(raw)
        write_all(self.file, raw)


def flow_mapping(texts: dict[str, str]) -> str:
    """YAML of a mapping, in one line."""
    return f"{{{', '.join(f'{key}: {text}' for key, text in texts.items())}}}"
