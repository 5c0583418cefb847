"""Addresses of exposures and associations, and the requests by which they are downloaded.

A file at MAST has a URI, ``mast:JWST/product/<file>``, by which MAST's download service takes it
(MAST API, "Direct download request"). Objects of public buckets have an address on the web.
"""

import os
import re
from urllib.parse import parse_qs, quote, urlsplit

from ..errors import InputError

_ADDRESS = re.compile(r"(?:https?|s3)://|mast:", re.IGNORECASE)

#: Names of files that can be fetched: names of exposures, and of associations.
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,199}\.(?:fits|json|yaml|yml)")

MAST = "https://mast.stsci.edu"
DOWNLOAD = "/api/v0.1/Download/file?uri="


def is_address(item: str) -> bool:
    """Whether an item of a setting is an address, and not a path."""
    return _ADDRESS.match(item) is not None


def parse_address(address: str) -> str:
    """Check an address, and shorten one of MAST's download service to the URI that it contains.

    Settings, logs and reports have addresses: one that may contain a password or signature is
    refused.

    Raises
    ------
    InputError
        If it is not that of a file which can be fetched.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        raise InputError(f"{address!r:.300}: not a valid address; correct it") from None
    if "@" in parts.netloc:
        raise InputError(
            f"{parts.scheme}://...@{parts.netloc.rpartition('@')[2]}{parts.path}: has a name or "
            "password; leave it out, and write it into ~/.netrc"
        )
    if parts.query or parts.fragment:
        uri = parse_qs(parts.query).get("uri", [""])[0]
        if f"{parts.scheme}://{parts.netloc}" != MAST or not uri.startswith("mast:"):
            raise InputError(
                f"{address.partition('?')[0].partition('#')[0]}?...: what follows the path may be "
                "secret, and settings are copied to results; leave it out, or download the file"
            )
        address = uri
    if not _FILE.fullmatch(file_name(address)):
        raise InputError(
            f"{address!r:.300}: not the address of one file, *.fits, *_asn.json or *_asn.yaml; "
            "write one for each"
        )
    return address


def file_name(address: str) -> str:
    """Return the name of the file at an address."""
    return address.rpartition("/")[2]


def beside(address: str, path: str) -> str:
    """Return the address of another file, in the same place; only the name in its path counts."""
    return f"{address.rpartition('/')[0]}/{os.path.basename(path)}"


def request_url(address: str) -> str:
    """Return the URL by which the file at an address is requested.

    Buckets are those of S3, without keys, or of the server in ``$AWS_ENDPOINT_URL_S3`` or
    ``$AWS_ENDPOINT_URL`` (AWS SDKs, "Service-specific endpoints").
    """
    scheme, _, path = address.partition(":")
    if scheme.lower() == "mast":
        return f"{MAST}{DOWNLOAD}{quote(address, safe='')}"
    if scheme.lower() == "s3":
        bucket, _, key = path.removeprefix("//").partition("/")
        server = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        if server:
            return f"{server.rstrip('/')}/{bucket}/{quote(key)}"
        return f"https://{bucket}.s3.amazonaws.com/{quote(key)}"
    return address
