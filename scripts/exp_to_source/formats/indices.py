"""The index of an exposure: parts, of which each reader takes only what it needs.

=======  =======================================================================================
part     content (in rows, unless it says otherwise: see `rows`)
=======  =======================================================================================
first    sealed: the exposure (format, name, path, size, time, identity); offset, size, seal of
         each of the other parts, counted from here
heads    each slit, for the source list: `heads.Head`
places   a line for each slit, all of equal length, sorted by digest: digest; offset, size and
         seal of its record among the records
shared   texts that several records share
records  each slit, for gathering: `record.Record`
common   what every entry takes from the exposure: keys and YAML of its metadata
top      what a product takes from its first exposure: `encode_top` of `index.records`
tags     all tags of the exposure's tree
remarks  level and text of remarks on the exposure
text     YAML document, if the exposure's own cannot be used as it is
=======  =======================================================================================

A reader first compares each part with its seal, so that a damaged index ends a job and never makes
a wrong product. Digests depend on content, never on offsets: a slit's digest covers everything of
it that goes into a product, and changes if and only if that does.
"""

from __future__ import annotations

import hashlib
import os

from .. import FORMAT
from ..errors import InputError
from ..files import size_and_mtime
from .checksums import DIGEST_SIZE, checksum, read_checked
from .layouts import SlitLayout
from .rows import decode_column, get_one

#: Digits of numbers in lines of equal length, and the length of these lines.
NUMBER = 12
PLACE_SIZE = 2 * DIGEST_SIZE + 2 * NUMBER + 4


def offset_line(digest: str, place: int, record: bytes) -> bytes:
    """Line that says where the record of a digest is."""
    return f"{digest} {place:{NUMBER}} {len(record):{NUMBER}} {checksum(record)}\n".encode()


def new_digest(common: str, top: str) -> hashlib._Hash:
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
    return not newer and is_stale(path, exposure)


def is_stale(path: str, exposure: str) -> bool:
    """Whether size or time of an exposure differ from those indexed; parameters as above."""
    try:
        with open(path, "rb") as file:
            first = read_checked(file)
        now = size_and_mtime(exposure)
    except OSError:
        return False
    return first is not None and any(get_one(first, key) != str(now[key]) for key in now)


def kind_passed_over(path: str) -> str:
    """Kind of a file that is not to be regrouped; empty for an exposure, or if there is no index.

    Parameters
    ----------
    path : str
        An index.
    """
    try:
        with open(path, "rb") as file:
            first = read_checked(file)
    except OSError:
        return ""
    return get_one(first, "other_kind") if first else ""


class IndexReader:
    """An index, open for reading parts of it.

    Parameters
    ----------
    path : str
        The index of an exposure.

    Attributes
    ----------
    exposure : dict of str
        The exposure, by the names of the first rows; ``failure``: why there are no slits;
        ``other_kind``: what it is, if it is not one to regroup.
    parts : dict of (int, int, str)
        Start, size and seal of each of the other parts.

    Raises
    ------
    InputError
        If it is not an index, or has another version.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            # A small buffer, as it serves only to read the first rows.
            self.file = open(path, "rb", buffering=1 << 11)  # noqa: SIM115, closed by close()
        except FileNotFoundError:
            raise InputError(f"{path}: no such index; run again") from None
        try:
            self._read_start()
        except InputError:
            self.close()
            raise

    def _read_start(self) -> None:
        first = read_checked(self.file)
        if first is None:
            raise self._damaged()
        if (found := get_one(first, "format")) != str(FORMAT):
            raise InputError(
                f"{self.path}: index of format {found}, this program needs {FORMAT}; "
                "delete the file and run again"
            )
        self.parts = {
            name: (int(place), int(size), expected)
            for name, place, size, expected in first.pop("part")
        }
        self.exposure = {name: get_one(first, name) for name in first}
        self.start = self.file.tell()

    def __enter__(self) -> IndexReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def record(self, digest: str) -> SlitLayout | None:
        """SlitLayout of the slit with this digest, or None."""
        found = self._find(digest.encode())
        if not found:
            # Only now read all of them, to distinguish a missing record from a damaged one.
            self.part("places")
            return None
        start, room, _ = self.parts["records"]
        try:
            place, size = map(int, found[DIGEST_SIZE:].split()[:2])
        except ValueError:
            raise self._damaged() from None
        if not 0 <= place <= place + size <= room:
            raise self._damaged()
        expected = found[-1 - DIGEST_SIZE : -1].decode("latin-1")
        shared = decode_column(self.part("shared"))
        data = self._read(start + place, size, expected)
        return SlitLayout.decode(data, shared)

    def _find(self, digest: bytes) -> bytes:
        """Line of this digest among the places, which are sorted; empty if there is none."""
        start, size, _ = self.parts["places"]
        # As `bisect` does, whose import takes more time than the whole search.
        low, high = 0, size // PLACE_SIZE
        while low < high:
            middle = (low + high) // 2
            found = self._read(start + middle * PLACE_SIZE, PLACE_SIZE)
            if found.startswith(digest):
                return found
            if found < digest:
                low = middle + 1
            else:
                high = middle
        return b""

    def new_digest(self) -> hashlib._Hash:
        """Start the digest of one of its slits."""
        return new_digest(*(self.parts[name][2] for name in ("common", "top")))

    def part(self, name: str) -> bytes:
        """One complete part of the index."""
        return self._read(*self.parts[name])

    def text(self, place: int, size: int) -> bytes:
        """Piece of the YAML document in the index."""
        return self._read(self.parts["text"][0] + place, size)

    def _read(self, place: int, size: int, expected: str | None = None) -> bytes:
        """Read a piece of the parts, and compare it with the expected seal."""
        data = os.pread(self.file.fileno(), size, self.start + place)
        if expected is not None and checksum(data) != expected:
            raise self._damaged()
        return data

    def _damaged(self) -> InputError:
        return InputError(f"{self.path}: damaged index; delete the file and run again")
