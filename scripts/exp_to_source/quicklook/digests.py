"""Digests of manifests, which tell from which state of a product a file was made."""

import hashlib
import re
from pathlib import Path

#: Keyword of a text in a picture; and the text as PNG has it, near the beginning of the file.
PNG_KEYWORD = "Digest"
_PNG_TEXT = re.compile(rb"tEXt%b\0([0-9a-f]{16})" % PNG_KEYWORD.encode())


def digest_manifest(path: str) -> str:
    """Return the digest of a manifest, as the source list has it."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


def read_picture_digest(path: str) -> str:
    """Return the digest of the product that a picture shows, empty if it names none."""
    with open(path, "rb") as file:
        match = _PNG_TEXT.search(file.read(1024))
    return match[1].decode() if match else ""


def read_spectrum_digest(path: str) -> str:
    """Return the digest of the product of a spectrum from the text beside it, empty for no file."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
