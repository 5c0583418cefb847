"""Digests of manifests, which tell from which state of a product a file was made."""

import hashlib
import re
from pathlib import Path

from ..results import spectrum_digest_path, spectrum_path

#: Keyword of a text in a picture; and the text as PNG has it, near the beginning of the file.
PNG_KEYWORD = "Digest"
_PNG_TEXT = re.compile(rb"tEXt%b\0([0-9a-f]{16})" % PNG_KEYWORD.encode())


def read_picture_digest(path: str) -> str:
    """Return the digest of the product that a picture shows, empty if it names none."""
    with open(path, "rb") as file:
        match = _PNG_TEXT.search(file.read(1024))
    return match[1].decode() if match else ""


def read_spectrum_digest(results: str, name: str) -> str:
    """Return the digest of the product of a spectrum; empty if it is not known.

    It is in a text beside the spectrum, with the digest of the spectrum itself.
    """
    try:
        text = Path(spectrum_digest_path(results, name)).read_text(encoding="utf-8")
        with open(spectrum_path(results, name, "x1d"), "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
    product, _, spectrum = text.strip().partition(" ")
    return product if spectrum == content else ""
