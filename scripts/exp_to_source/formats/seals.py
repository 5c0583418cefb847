"""Digests by which a reader checks that data are as they were written."""

import hashlib
import json

#: True for type checkers alone: no gather imports typing.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Content of an object in JSON.
Content = dict[str, "Any"]

#: Length of a digest, in hexadecimal digits: 128 bits of a SHA-256.
DIGEST_SIZE = 32


def line(content: object) -> bytes:
    """One line of JSON, equal for equal content."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def seal(data: bytes) -> str:
    """Digest by which a reader checks that data are as they were written."""
    return hashlib.sha256(data).hexdigest()[:DIGEST_SIZE]


def sealed(content: Content) -> bytes:
    """One line of JSON, with a seal."""
    return line(content | {"seal": seal(line(content))})


def unsealed(data: bytes) -> Content | None:
    """Content of a sealed line of JSON, or None if it is damaged."""
    try:
        content = json.loads(data)
        whole = content.pop("seal") == seal(line(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return content if whole else None
