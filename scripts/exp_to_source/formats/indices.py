"""The index of an exposure: parts, of which each reader takes only what it needs.

=================  =============================================================================
part               content (in rows, unless it says otherwise: see `rows`)
=================  =============================================================================
first              with a checksum: the exposure (format, name, path, size, time, identity);
                   offset, size, checksum of each of the other parts, counted from here
summaries          each slit, for the source list: `summaries.SlitSummary`
offsets            a line for each slit, all of equal length, sorted by digest: digest; offset,
                   size and checksum of its layout among the layouts
shared             texts that several layouts share
layouts            each slit, for gathering: `layouts.SlitLayout`
exposure_metadata  what every entry takes from the exposure: keys and YAML
primary_metadata   what a product takes from its first exposure, its primary header and the top
                   of its tree: `encode_primary_metadata` of `index.records`
tags               all tags of the exposure's tree
diagnostics        level and text of warnings and notes on the exposure
text               YAML document, if the exposure's own cannot be used as it is
=================  =============================================================================

A reader first compares each part with its checksum, so that a damaged index ends a job and never
makes a wrong product. Digests depend on content, never on offsets: a slit's digest covers
everything of it that goes into a product, and changes if and only if that does.
"""

from __future__ import annotations

import hashlib
import os

from .. import FORMAT
from ..errors import InputError
from ..files import size_and_mtime
from .layouts import SlitLayout
from .rows import DIGEST_SIZE, checksum, decode_column, read_checked

#: Digits of numbers in lines of equal length, and the length of these lines.
NUMBER = 12
LINE_SIZE = 2 * DIGEST_SIZE + 2 * NUMBER + 4


def offset_line(digest: str, offset: int, layout: bytes) -> bytes:
    """Format the line with the offset of a slit's layout."""
    return f"{digest} {offset:{NUMBER}} {len(layout):{NUMBER}} {checksum(layout)}\n".encode()


def new_digest(exposure_metadata: str, primary_metadata: str) -> hashlib._Hash:
    """Start the digest of a slit with the checksums of what it takes from its exposure."""
    return hashlib.sha256(f"{exposure_metadata} {primary_metadata}".encode())


def is_stale(path: str, exposure: str) -> bool:
    """Whether an exposure is not the file that was indexed, though not newer than its index.

    An index that does not exist, or cannot be read, is not stale.
    """
    try:
        if os.stat(exposure).st_mtime > os.stat(path).st_mtime:
            return False
        with open(path, "rb") as file:
            first, now = read_checked(file), size_and_mtime(exposure)
    except OSError:
        return False
    return first is not None and any(first.one(key) != str(now[key]) for key in now)


class IndexReader:
    """An index, open for reading parts of it; one that is of another version is an `InputError`.

    Attributes
    ----------
    exposure : dict of str
        The exposure, by the names of the first rows; ``failure``: why there are no slits;
        ``other_kind``: what it is, if it is not one to regroup.
    parts : dict of (int, int, str)
        Offset, size and checksum of each of the other parts.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            # A small buffer, as it serves only to read the first rows.
            self.file = open(path, "rb", buffering=1 << 11)  # noqa: SIM115, closed by __exit__
        except FileNotFoundError:
            raise InputError(f"{path}: no such index; run again") from None
        try:
            self._read_start()
        except InputError:
            self.file.close()
            raise

    def _read_start(self) -> None:
        first = read_checked(self.file)
        if first is None:
            raise self._damaged()
        if (version := first.one("format")) != str(FORMAT):
            raise InputError(
                f"{self.path}: index of format {version}, this program needs {FORMAT}; "
                "delete the file and run again"
            )
        parts = first.pop("part")
        self.parts = {name: (int(start), int(size), seal) for name, start, size, seal in parts}
        self.exposure = {name: first.one(name) for name in first}
        self.start = self.file.tell()

    def __enter__(self) -> IndexReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def layout(self, digest: str) -> SlitLayout | None:
        """Read the layout of the slit with this digest; None if there is none."""
        line = self._find(digest.encode())
        if not line:
            # Only now read all of them, to distinguish a missing line from a damaged one.
            self.part("offsets")
            return None
        start, total, _ = self.parts["layouts"]
        try:
            offset, size = map(int, line[DIGEST_SIZE:].split()[:2])
        except ValueError:
            raise self._damaged() from None
        if not 0 <= offset <= offset + size <= total:
            raise self._damaged()
        expected = line[-1 - DIGEST_SIZE : -1].decode("latin-1")
        shared = decode_column(self.part("shared"))
        return SlitLayout.decode(self._read(start + offset, size, expected), shared)

    def _find(self, digest: bytes) -> bytes:
        """Find the line of this digest among the offsets, which are sorted; empty without one."""
        start, size, _ = self.parts["offsets"]
        # As `bisect` does, whose import takes more time than the whole search.
        low, high = 0, size // LINE_SIZE
        while low < high:
            middle = (low + high) // 2
            line = self._read(start + middle * LINE_SIZE, LINE_SIZE)
            if line.startswith(digest):
                return line
            if line < digest:
                low = middle + 1
            else:
                high = middle
        return b""

    def new_digest(self) -> hashlib._Hash:
        """Start the digest of one of its slits."""
        return new_digest(self.parts["exposure_metadata"][2], self.parts["primary_metadata"][2])

    def part(self, name: str) -> bytes:
        """Read one complete part of the index."""
        return self._read(*self.parts[name])

    def text(self, offset: int, size: int) -> bytes:
        """Read a piece of the YAML document in the index."""
        return self._read(self.parts["text"][0] + offset, size)

    def _read(self, offset: int, size: int, expected: str | None = None) -> bytes:
        """Read a piece of the parts, and compare it with the expected checksum."""
        data = os.pread(self.file.fileno(), size, self.start + offset)
        if expected is not None and checksum(data) != expected:
            raise self._damaged()
        return data

    def _damaged(self) -> InputError:
        return InputError(f"{self.path}: damaged index; delete the file and run again")
