"""The index of an exposure: lines of JSON, from which each reader takes only what it needs.

=======  =======================================================================================
part     content
=======  =======================================================================================
first    one line: the exposure (format, name, path, size, time, identity); offset, size, seal of
         each of the other parts, counted from here; its own seal
heads    one line per slit, for the source list: `Head`
places   one line per slit, all of equal length, sorted by digest: digest; offset, size and
         seal of its record among the records
common   what every entry takes from the exposure
top      what a product takes from its first exposure
tags     all tags of the exposure's tree
shared   texts that occur in several records
records  one line per slit, for gathering: `Record`
text     YAML document, if the exposure's own cannot be used as it is
=======  =======================================================================================

A reader first compares each part with its seal, so that a damaged index ends a job and never makes
a wrong product. Digests depend on content, never on offsets: a slit's digest covers everything of
it that goes into a product, and changes if and only if that does.
"""

import hashlib
import json
import os
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from .. import FORMAT
from ..errors import InputError
from ..files import replacing, stamp, write_all
from .seals import DIGEST_SIZE, line, seal, sealed, unsealed
from .slits import Head, Record, lengthen, shorten

#: Minimum length of a text that is stored once for several records.
MIN_SHARED = 40

#: Longest first line of an index.
MAX_LINE = 1 << 16

#: Digits of numbers in lines of equal length, and the length of these lines.
NUMBER = 12
PLACE_SIZE = 2 * DIGEST_SIZE + 2 * NUMBER + 4


def new_digest(common: str, top: str) -> "hashlib._Hash":
    """Start the digest of a slit with the seals of the parts that it takes from its exposure."""
    return hashlib.sha256(f"{common} {top}".encode())


def is_outdated(path: str, exposure: str) -> bool:
    """Whether an exposure is not the file that was indexed, though not newer than its index.

    Parameters
    ----------
    path : str
        An index. One that does not exist, or cannot be read, is not outdated.
    exposure : str
        The current file of the exposure.
    """
    try:
        newer = os.stat(exposure).st_mtime > os.stat(path).st_mtime
    except OSError:
        return False
    return not newer and is_of_another_file(path, exposure)


def is_of_another_file(path: str, exposure: str) -> bool:
    """Whether size or time of an exposure differ from those indexed; parameters as above."""
    try:
        with open(path, "rb") as file:
            first = unsealed(file.readline(MAX_LINE))
        now = stamp(exposure)
    except OSError:
        return False
    return first is not None and now != {key: first.get(key) for key in now}


def change_note(index: str) -> str:
    """Path of the note that an exposure is not the one that was indexed."""
    return f"{index.removesuffix('.jsonl')}.changed"


def note_change(index: str) -> None:
    """Write the note, so that the next run indexes the exposure again."""
    with replacing(change_note(index)):
        pass


def forget_change(index: str) -> None:
    """Remove the note, after the index was written again."""
    if os.path.exists(note := change_note(index)):
        os.unlink(note)


def write_index(
    path: str,
    exposure: dict[str, Any],
    common: bytes,
    top: bytes,
    tags: bytes,
    slits: Iterable[tuple[Head, Record]],
    text: str,
) -> None:
    """Write the index of an exposure.

    Parameters
    ----------
    path : str
        File to write.
    exposure : dict
        Content of the first line, without the offsets.
    common, top, tags : bytes
        The parts with these names, one line each.
    slits : iterable of (Head, Record)
        What the source list needs of each slit, and its record.
    text : str
        YAML document to keep, or empty.
    """
    slits = list(slits)
    texts = shared_texts(record for _, record in slits)
    heads, records, places = [], [], []
    place = 0
    for head, record in slits:
        heads.append(line(head))
        records.append(line(record.with_texts(lambda text: shorten(text, texts))))
        size = len(records[-1])
        places.append(
            f"{head.digest} {place:{NUMBER}} {size:{NUMBER}} {seal(records[-1])}\n".encode()
        )
        place += size
    parts = {
        "heads": b"".join(heads),
        "places": b"".join(sorted(places)),
        "common": common,
        "top": top,
        "tags": tags,
        "shared": line(list(texts)),
        "records": b"".join(records),
        "text": text.encode(),
    }
    place = 0
    first = dict(exposure)
    for name, part in parts.items():
        first[name] = [place, len(part), seal(part)]
        place += len(part)
    with replacing(path) as file:
        for part in (sealed(first), *parts.values()):
            write_all(file, part)


def shared_texts(records: Iterable[Record]) -> dict[str, int]:
    """Find long texts that occur in several records, such as the texts for aliases of one anchor.

    Returns
    -------
    dict
        Text to number, from 0.
    """
    seen: dict[str, bool] = {}

    def note(text: str) -> str:
        if len(text) >= MIN_SHARED:
            seen[text] = text in seen
        return text

    for record in records:
        record.with_texts(note)
    return {text: n for n, text in enumerate(text for text, again in seen.items() if again)}


def write_failure(
    path: str, exposure: str, exposure_path: str, reason: str, before: dict[str, int]
) -> None:
    """Write, instead of an index, the reason why an exposure has none.

    Parameters
    ----------
    path : str
        File to write.
    exposure, exposure_path : str
        Name and file of the exposure.
    reason : str
        What is wrong, in a sentence.
    before : dict
        Stamp of the exposure before it was read; empty if there was no file.
    """
    about = {"format": FORMAT, "exposure": exposure, "path": exposure_path, "failure": reason}
    with replacing(path) as file:
        write_all(file, sealed(about | before | {"heads": [0, 0, seal(b"")]}))


class IndexReader:
    """An index, open for reading parts of it.

    Parameters
    ----------
    path : str
        The index of an exposure.

    Raises
    ------
    InputError
        If it is not an index, or has another version.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            # A small buffer, as it serves only to read the first line.
            self.file = open(path, "rb", buffering=1 << 11)  # noqa: SIM115, closed by close()
        except FileNotFoundError:
            raise InputError(f"{path}: no such index; run again") from None
        try:
            self._read_start()
        except InputError:
            self.close()
            raise

    def _read_start(self) -> None:
        first = self.file.readline(MAX_LINE)
        content = unsealed(first)
        if content is None:
            raise self._damaged()
        if content["format"] != FORMAT:
            raise InputError(
                f"{self.path}: index of format {content['format']}, this program needs {FORMAT}; "
                "delete the file and run again"
            )
        self.exposure: dict[str, Any] = content
        self.start = len(first)

    def __enter__(self) -> "IndexReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def heads(self) -> Iterable[Head]:
        """Read the heads for the source list, in the order of the slits."""
        return (Head(*json.loads(line)) for line in self.part("heads").splitlines())

    def record(self, digest: str) -> Record | None:
        """Record of the slit with this digest, or None."""
        start, size, _ = self.exposure["places"]
        lines = range(start, start + size, PLACE_SIZE)
        number = bisect_left(lines, digest.encode(), key=lambda at: self._read(at, DIGEST_SIZE))
        found = self._read(lines[number], PLACE_SIZE) if number < len(lines) else b""
        if not found.startswith(digest.encode()):
            # Only now read all of them, to distinguish a missing record from a damaged one.
            self.part("places")
            return None
        try:
            place, size = map(int, found[DIGEST_SIZE:].split()[:2])
        except ValueError:
            raise self._damaged() from None
        expected = found[-1 - DIGEST_SIZE : -1].decode("latin-1")
        texts = json.loads(self.part("shared"))
        data = self._read(self.exposure["records"][0] + place, size, expected)
        return Record.of_json(data).with_texts(lambda text: lengthen(text, texts))

    def part(self, name: str) -> bytes:
        """One complete part of the index."""
        return self._read(*self.exposure[name])

    def text(self, place: int, size: int) -> bytes:
        """Piece of the YAML document in the index."""
        return self._read(self.exposure["text"][0] + place, size)

    def _read(self, place: int, size: int, expected: str | None = None) -> bytes:
        """Read a piece of the parts, and compare it with the expected seal."""
        data = os.pread(self.file.fileno(), size, self.start + place)
        if expected is not None and seal(data) != expected:
            raise self._damaged()
        return data

    def _damaged(self) -> InputError:
        return InputError(f"{self.path}: damaged index; delete the file and run again")
