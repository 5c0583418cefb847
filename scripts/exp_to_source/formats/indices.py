"""What is stored of an exposure: lines of JSON, of which each reader takes only what it needs.

=======  =======================================================================================
part     content
=======  =======================================================================================
first    a line: the exposure (format, name, path, size, time, identity); place, size and seal of
         each of the other parts, counted from here; its own seal
heads    a line a slit, for the source list: digest, source id, source name, slit name, exposure
         type, planes, bytes, shape (rows, columns) of the first plane, shortest and longest
         wavelength (µm) or null
places   a line a slit, all of one length and in the order of the digests: digest; place, size and
         seal of its record among the records
common   what every entry takes from the exposure
top      what a product takes from its first exposure
tags     all tags of the exposure's tree
shared   texts that several records have
records  a line a slit: where headers, data, text and blocks lie; what changes in them
text     YAML document, where the exposure's own could not be used as it stands
=======  =======================================================================================

Whatever a reader takes is compared with its seal first, so that a damaged index ends a job and
never makes a wrong product. Digests are of content, never of places: a slit's digest covers
everything of it that reaches a product, and changes if and only if that does.
"""

import hashlib
import json
import os
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Any

from .. import FORMAT
from ..errors import InputError
from ..files import replacing, write_all

#: Shortest text that is stored once for several records.
MIN_SHARED = 40

#: Longest first line of an index.
MAX_LINE = 1 << 16

#: Length of a digest, in hexadecimal digits: 128 bits of a SHA-256.
DIGEST_SIZE = 32

#: Digits of numbers in lines of one length, and the length of these.
NUMBER = 12
PLACE_SIZE = 2 * DIGEST_SIZE + 2 * NUMBER + 4


def line(content: Any) -> bytes:
    """One line of JSON, the same for the same content."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def seal(data: bytes) -> str:
    """Digest by which a reader tells that data are as they were written."""
    return hashlib.sha256(data).hexdigest()[:DIGEST_SIZE]


def sealed(content: dict[str, Any]) -> bytes:
    """One line of JSON, with a seal."""
    return line(content | {"seal": seal(line(content))})


def unsealed(data: bytes) -> dict[str, Any] | None:
    """Content of a sealed line of JSON, None where it is damaged."""
    try:
        content = json.loads(data)
        whole = content.pop("seal") == seal(line(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return content if whole else None


def new_digest(common: str, top: str) -> "hashlib._Hash":
    """Start the digest of a slit with the seals of what it has from its exposure."""
    return hashlib.sha256(f"{common} {top}".encode())


def stamp(exposure: str | int) -> dict[str, int]:
    """Size and time of an exposure (path or descriptor); the time in seconds, as some have it."""
    status = os.stat(exposure)
    return {"size": status.st_size, "modified": status.st_mtime_ns // 10**9}


def is_outdated(path: str, exposure: str) -> bool:
    """Whether an exposure is another file than the one that was indexed, but none that is newer.

    Parameters
    ----------
    path : str
        An index; where there is none, or none that can be read, it is not outdated.
    exposure : str
        The file that the exposure is now.
    """
    try:
        with open(path, "rb") as file:
            first = unsealed(file.readline(MAX_LINE))
        newer = os.stat(exposure).st_mtime > os.stat(path).st_mtime
        now = stamp(exposure)
    except OSError:
        return False
    return first is not None and not newer and now != {key: first.get(key) for key in now}


def change_note(index: str) -> str:
    """Path of the note that the exposure of an index is not the one that was indexed."""
    return f"{index.removesuffix('.jsonl')}.changed"


def note_change(index: str) -> None:
    """Leave the note, for the next run to index the exposure again."""
    with replacing(change_note(index)):
        pass


def forget_change(index: str) -> None:
    """Remove the note, once the index is new."""
    if os.path.exists(note := change_note(index)):
        os.unlink(note)


def write_index(
    path: str,
    exposure: dict[str, Any],
    common: bytes,
    top: bytes,
    tags: bytes,
    slits: Iterable[tuple[list[Any], dict[str, Any]]],
    text: str,
) -> None:
    """Write the index of an exposure.

    Parameters
    ----------
    path : str
        File to write.
    exposure : dict
        What the first line says, but for the places.
    common, top, tags : bytes
        The parts of these names, a line each.
    slits : iterable of (list, dict)
        What the source list needs of each slit, and its record.
    text : str
        YAML document to be kept, or none.
    """
    slits = list(slits)
    texts = shared_texts(record for _, record in slits)
    heads, records, places = [], [], []
    place = 0
    for head, record in slits:
        heads.append(line(head))
        records.append(
            line(replace_texts(record, lambda text: [texts[text]] if text in texts else text))
        )
        size = len(records[-1])
        places.append(f"{head[0]} {place:{NUMBER}} {size:{NUMBER}} {seal(records[-1])}\n".encode())
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


def shared_texts(records: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Find long texts that several records have, such as what aliases of one anchor stand for.

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
        replace_texts(record, note)
    return {text: n for n, text in enumerate(text for text, again in seen.items() if again)}


def replace_texts(record: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """Record with another text in each place that may have a shared one.

    A shared text is stored as a list of its number alone, which nothing else there is.
    """
    return record | {
        "edits": [(place, length, change(text)) for place, length, text in record["edits"]],
        "planes": [
            (*places, [change(item) if _is_text(item) else item for item in plan])
            for *places, plan in record["planes"]
        ],
    }


def _is_text(item: Any) -> bool:
    return isinstance(item, str) or (isinstance(item, list) and len(item) == 1)


def write_failure(path: str, exposure: str, exposure_path: str, reason: str) -> None:
    """Write, in place of an index, why an exposure has none.

    Parameters
    ----------
    path : str
        File to write.
    exposure, exposure_path : str
        Name and file of the exposure.
    reason : str
        What is wrong, in a sentence.
    """
    about = {"format": FORMAT, "exposure": exposure, "path": exposure_path, "failure": reason}
    if os.path.exists(exposure_path):
        about |= stamp(exposure_path)
    with replacing(path) as file:
        write_all(file, sealed(about | {"heads": [0, 0, seal(b"")]}))


class IndexReader:
    """An index, open for reading what one needs of it.

    Parameters
    ----------
    path : str
        The index of an exposure.

    Raises
    ------
    InputError
        If it is not an index, or one of another version.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            # A small buffer, as only the first line is read through it.
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

    def heads(self) -> Iterable[list[Any]]:
        """Read the lines that the source list needs, one a slit, in the order of the slits."""
        return map(json.loads, self.part("heads").splitlines())

    def record(self, digest: str) -> dict[str, Any] | None:
        """Record of the slit that has this digest, None where there is none."""
        start, size, _ = self.exposure["places"]
        lines = range(start, start + size, PLACE_SIZE)
        number = bisect_left(lines, digest.encode(), key=lambda at: self._read(at, DIGEST_SIZE))
        found = self._read(lines[number], PLACE_SIZE) if number < len(lines) else b""
        if not found.startswith(digest.encode()):
            # Only now are all of them read, to tell one that is not there from a damaged one.
            self.part("places")
            return None
        try:
            place, size = map(int, found[DIGEST_SIZE:].split()[:2])
        except ValueError:
            raise self._damaged() from None
        expected = found[-1 - DIGEST_SIZE : -1].decode("latin-1")
        texts = json.loads(self.part("shared"))
        return replace_texts(
            json.loads(self._read(self.exposure["records"][0] + place, size, expected)),
            lambda item: texts[item[0]] if isinstance(item, list) else item,
        )

    def part(self, name: str) -> bytes:
        """One part of the index, whole."""
        return self._read(*self.exposure[name])

    def text(self, place: int, size: int) -> bytes:
        """Piece of the YAML document that is kept here."""
        return self._read(self.exposure["text"][0] + place, size)

    def _read(self, place: int, size: int, expected: str | None = None) -> bytes:
        """Piece of the parts, which must have the seal that is expected."""
        data = os.pread(self.file.fileno(), size, self.start + place)
        if expected is not None and seal(data) != expected:
            raise self._damaged()
        return data

    def _damaged(self) -> InputError:
        return InputError(f"{self.path}: damaged index; delete the file and run again")
