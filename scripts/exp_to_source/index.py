"""What is stored of an exposure: lines of JSON, of which each reader takes only what it needs.

======================  ========================================================================
line                    content
======================  ========================================================================
1                       the exposure: format, name, path, size, identity; ``slits``: count;
                        ``heads``: bytes of their lines; ``common``, ``top``: place and size in
                        the body; ``text``: place in it
2 to ``slits`` + 1      one a slit, for the source list: digest, place of its record in the body,
                        size of that, source id, source name, slit name, exposure type, planes,
                        bytes
body: common            what every entry takes from the exposure
body: top               what a product takes from its first exposure
body: a line a slit     its record: where headers, data, text and blocks lie; what changes in them
body: text              YAML document, where the exposure's own could not be used as it stands
======================  ========================================================================

Digests are of content, never of places: a slit's digest covers everything of it that reaches a
product, and changes if and only if that does.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from typing import Any

from . import FORMAT
from .errors import InputError
from .files import replacing, write_all

#: Length of a digest, in hexadecimal digits: 128 bits of a SHA-256.
DIGEST_SIZE = 32


def line(content: Any) -> bytes:
    """One line of JSON, the same for the same content."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def new_digest(common: bytes, top: bytes) -> "hashlib._Hash":
    """Start the digest of a slit: what it has from its exposure comes first."""
    return hashlib.sha256(hashlib.sha256(common + top).digest())


def write_index(
    path: str,
    exposure: dict[str, Any],
    common: bytes,
    top: bytes,
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
    common, top : bytes
        The two first lines of the body.
    slits : iterable of (list, dict)
        What the source list needs of each slit, and its record.
    text : str
        YAML document to be kept, or none.
    """
    body = [common, top]
    heads = []
    place = len(common) + len(top)
    for (digest, *rest), record in slits:
        body.append(line(record))
        heads.append(line([digest, place, len(body[-1]), *rest]))
        place += len(body[-1])
    first = exposure | {
        "slits": len(heads),
        "heads": sum(map(len, heads)),
        "common": [0, len(common)],
        "top": [len(common), len(top)],
        "text": place,
    }
    with replacing(path) as file:
        for part in (line(first), *heads, *body, text.encode()):
            write_all(file, part)


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
        self.file = open(path, "rb", buffering=1 << 16)  # noqa: SIM115, closed by close()
        try:
            self.exposure: dict[str, Any] = json.loads(self.file.readline())
            self.start = self.file.tell()
            self.body = self.start + self.exposure["heads"]
            format_ = self.exposure["format"]
        except (ValueError, KeyError, TypeError):
            self.close()
            raise self._damaged() from None
        if format_ != FORMAT:
            self.close()
            raise InputError(
                f"{path}: index of format {format_}, this program needs {FORMAT}; delete the file"
            )

    def __enter__(self) -> "IndexReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def heads(self) -> Iterable[list[Any]]:
        """Read the lines that the source list needs, one a slit, in the order of the slits."""
        self.file.seek(self.start)
        for _ in range(self.exposure["slits"]):
            yield json.loads(self.file.readline())

    def record(self, digest: str) -> dict[str, Any] | None:
        """Record of the slit that has this digest, None where there is none."""
        table = os.pread(self.file.fileno(), self.body - self.start, self.start)
        place = table.find(f'["{digest}",'.encode())
        if place < 0:
            return None
        head = json.loads(table[place : table.index(b"\n", place)])
        return json.loads(self.read_body(head[1], head[2]))

    def read_body(self, place: int, size: int) -> bytes:
        """Part of the body."""
        return os.pread(self.file.fileno(), size, self.body + place)

    def _damaged(self) -> InputError:
        return InputError(f"{self.path}: damaged index; delete the file and run again")
