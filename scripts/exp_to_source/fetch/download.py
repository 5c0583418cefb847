"""Download one file: it resumes, tries again after pauses, and checks what it got."""

import base64
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from itertools import chain
from time import monotonic, sleep

import requests
from requests.auth import AuthBase
from requests.exceptions import ChunkedEncodingError, ConnectionError, Timeout
from urllib3.exceptions import HTTPError

from ..errors import InputError
from ..files import TEMPORARY, fsync
from ..units import format_size, format_time
from . import addresses

#: Bytes that are read at a time; by the first ones, a partial file is known to be of this version.
CHUNK = 1 << 16

#: Bytes left free on the disk: without any, Snakemake fails with a traceback, even the next time.
RESERVE = 1 << 24

#: Seconds before each further try without progress, and the most that a server may request.
PAUSES = (1, 5, 20, 60)
LONGEST_PAUSE = 600

#: Seconds to wait for a connection, and for the next bytes.
TIMEOUT = (30, 60)

#: Seconds between two lines of progress.
INTERVAL = 10


class _InterruptedError(Exception):
    """A download stopped before its end, and may go on.

    Parameters
    ----------
    fault : str
        What happened.
    pause : int
        Seconds to wait, as the server requests.
    """

    def __init__(self, fault: str, pause: int = 0) -> None:
        super().__init__(fault)
        self.pause = pause


class _Token(AuthBase):
    """Authorization by a token of MAST, which requests drops when another host is next."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"token {self.token}"
        return request


def fetch(address: str, path: str, report: Callable[[str], None]) -> None:
    """Download the file at an address.

    What an interrupted download left (``<path>.part``) is continued if the file at the address
    still begins with the same bytes: the header of an exposure has the time of its making.

    Parameters
    ----------
    address : str
        As `addresses.parse_address` returns it.
    path : str
        File to write; its folder is made if need be.
    report : callable
        Takes lines on progress.

    Raises
    ------
    InputError
        If it cannot be downloaded, differs from what the server states, or is of the wrong kind.
    """
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    failures = reached = 0
    with requests.Session() as session:
        while True:
            try:
                return _Download(session, address, path, report).run()
            except _InterruptedError as error:
                size = _size(path + TEMPORARY)
                failures = 1 if size > reached else failures + 1
                reached = max(reached, size)
                if failures > len(PAUSES):
                    raise InputError(
                        f"{address}: {error}, after {failures} tries; run the same command again "
                        "later: it continues where this one stopped"
                    ) from None
                pause = max(error.pause, PAUSES[failures - 1])
                report(f"{os.path.basename(path)}: {error}; trying again in {pause} s")
                sleep(pause)


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


class _Download:
    """One try of `fetch`, whose parameters it has."""

    def __init__(
        self, session: requests.Session, address: str, path: str, report: Callable[[str], None]
    ) -> None:
        self.session = session
        self.address = address
        self.path = path
        self.part = path + TEMPORARY
        self.name = os.path.basename(path)
        self.report = report

    def run(self) -> None:
        try:
            with self._get() as response:
                self._save(response)
        except FileNotFoundError:
            raise _InterruptedError("another process downloaded it, too") from None
        # Their texts contain URLs, which may be signed after a redirect.
        except Timeout:
            raise _InterruptedError(f"no data for {TIMEOUT[1]} s") from None
        except (ChunkedEncodingError, ConnectionError) as error:
            # The reason of OpenSSL; its other errors are of connections that are cut.
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise InputError(
                    f"{self.address}: its server's certificate is not accepted; correct the "
                    "address, or set REQUESTS_CA_BUNDLE to the certificates of your network"
                ) from None
            cut = isinstance(error, ChunkedEncodingError) or _size(self.part)
            raise _InterruptedError("the connection was cut" if cut else "no connection") from None
        # Of urllib3, which requests lets pass if the host has no valid name.
        except (requests.RequestException, HTTPError) as error:
            raise InputError(
                f"{self.address}: cannot be downloaded ({type(error).__name__}); correct it"
            ) from None

    def _get(self, start: int = 0) -> requests.Response:
        """Request the file from a byte on."""
        url = addresses.request_url(self.address)
        token = os.environ.get("MAST_API_TOKEN", "").strip()
        at_mast = url.startswith(f"{addresses.MAST}/")
        if at_mast and not (token.isascii() and token.isprintable()):
            # Errors about headers contain it.
            raise InputError("MAST_API_TOKEN: has characters that no token has; set it again")
        # Compressed content would have another size.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        response = self.session.get(
            url,
            headers=headers,
            stream=True,
            timeout=TIMEOUT,
            auth=_Token(token) if token and at_mast else None,
        )
        if not response.ok:
            response.close()
            raise self._error(response, at_mast, token)
        return response

    def _error(
        self, response: requests.Response, at_mast: bool, token: str
    ) -> InputError | _InterruptedError:
        status = response.status_code
        fault = f"the server responds {status} {response.reason}".rstrip()
        if status == 429 or status >= 500:
            after = response.headers.get("Retry-After", "")
            pause = min(int(after), LONGEST_PAUSE) if after.isdigit() else 0
            return _InterruptedError(fault, pause)
        if status == 416:
            os.unlink(self.part)
            return _InterruptedError("the file is shorter than the server states")
        if status not in (401, 403):
            remedy = "correct the address"
        elif not at_mast:
            remedy = "it is not public, or does not exist: correct it, or download the file"
        elif token:
            remedy = (
                "$MAST_API_TOKEN may have expired, or be that of a user who may not read it: see "
                "https://auth.mast.stsci.edu/tokens"
            )
        else:
            remedy = (
                "if it is not public yet, set MAST_API_TOKEN to a token of "
                "https://auth.mast.stsci.edu/tokens"
            )
        return InputError(f"{self.address}: {fault}; {remedy}")

    def _save(self, response: requests.Response) -> None:
        # Compressed content has another size.
        compressed = "Content-Encoding" in response.headers
        size: int | None = None if compressed else response.raw.length_remaining
        blocks = response.iter_content(CHUNK)
        first = next(blocks, b"")
        self._check_kind(first, response)
        start = self._reusable(first, size)
        end = self._write(response, chain([first], blocks), start, size)
        if size is not None and end != size:
            raise _InterruptedError(f"it ended after {end} of {size} bytes")
        self._check_digest(response)
        fsync(self.part)
        os.replace(self.part, self.path)

    def _write(
        self,
        response: requests.Response,
        blocks: Iterator[bytes],
        start: int,
        size: int | None,
    ) -> int:
        """Write the file, from a byte on if the server can; return where it ends."""
        if start and start == size:
            return start
        rest = self._get(start) if start else response
        if start and rest.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            response.close()
            blocks = rest.iter_content(CHUNK)
            self.report(f"{self.name}: continues after {format_size(start)}")
        else:
            start = 0
        begin = shown = monotonic()
        # By position: a job whose Snakemake was killed may still write the same bytes.
        with rest, open(self.part, "r+b" if start else "wb") as file:
            end = file.seek(start)
            for block in blocks:
                self._check_space(len(block) if size is None else size - end)
                end += file.write(block)
                if (now := monotonic()) - shown > INTERVAL:
                    shown = now
                    self._report_progress(end, size, (end - start) / (now - begin))
        seconds = monotonic() - begin
        self.report(f"{self.name}: {format_size(end - start)} in {format_time(seconds)}")
        return end

    def _check_space(self, needed: int) -> None:
        """Check that the rest fits on the disk, which other downloads fill at the same time."""
        folder = os.path.dirname(self.path) or "."
        free = shutil.disk_usage(folder).free
        if free < needed + RESERVE:
            raise InputError(
                f"{folder}: has {format_size(free)} of free space, and {self.name} needs "
                f"{format_size(needed)} and some for the run; free some space and run again"
            )

    def _report_progress(self, end: int, size: int | None, rate: float) -> None:
        total = f" of {format_size(size)} ({end / size:.0%})" if size else ""
        self.report(f"{self.name}: {format_size(end)}{total}, {format_size(int(rate))}/s")

    def _reusable(self, first: bytes, size: int | None) -> int:
        """Return how many bytes of the partial file are those of this version."""
        length = _size(self.part)
        if size is None or not len(first) <= length <= size:
            return 0
        with open(self.part, "rb") as file:
            return length if file.read(len(first)) == first else 0

    def _check_kind(self, first: bytes, response: requests.Response) -> None:
        """Check that it is not a page of a portal or proxy in the file's place."""
        start = first.lstrip()[:6]
        if start != b"SIMPLE" if self.path.endswith(".fits") else start[:1] in (b"", b"<"):
            kind = response.headers.get("Content-Type", "of unknown type")
            raise InputError(
                f"{self.address}: the server has something else there ({kind:.80}); correct the "
                "address, or log in where the network requires it"
            )

    def _check_digest(self, response: requests.Response) -> None:
        """Check the file against a digest, if the server has any."""
        for algorithm, digest in _digests(response):
            with open(self.part, "rb") as file:
                found = hashlib.file_digest(file, algorithm)
            if digest in (found.hexdigest(), base64.b64encode(found.digest()).decode()):
                continue
            os.unlink(self.part)
            raise _InterruptedError(f"its {algorithm} is not that of the server")


def _digests(response: requests.Response) -> Iterator[tuple[str, str]]:
    """Yield algorithm and value of the digests in headers, hexadecimal or in base64.

    ``Repr-Digest`` is RFC 9530, ``Content-MD5`` RFC 1864; an ETag of S3 is an MD5 if the object was
    not uploaded in parts, nor encrypted with a key of the owner (S3 API, "Object").
    """
    headers = response.headers
    for item in headers.get("Repr-Digest", "").split(","):
        algorithm, _, value = item.strip().partition("=")
        name = {"sha-256": "sha256", "sha-512": "sha512"}.get(algorithm)
        if name:
            yield name, value.strip(":")
    if "Content-MD5" in headers:
        yield "md5", headers["Content-MD5"]
    etag = headers.get("ETag", "").strip('"')
    encryption = headers.get("x-amz-server-side-encryption", "AES256")
    if "x-amz-request-id" in headers and len(etag) == 32 and encryption == "AES256":
        yield "md5", etag
