"""Downloads from a server with the faults of real ones."""

import base64
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from archive import Archive, serve

from exp_to_source.errors import InputError
from exp_to_source.fetch import addresses, download
from exp_to_source.fetch.download import fetch

NAME = "a_cal.fits"
CONTENT = b"SIMPLE  = T" + bytes(range(256)) * 40
TOKEN = "0123456789abcdef"


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses, which are not waited for."""
    waited: list[float] = []
    monkeypatch.setattr(download, "sleep", waited.append)
    monkeypatch.setattr(download, "CHUNK", 1000)
    monkeypatch.setattr(download, "PAUSES", (1, 2))
    monkeypatch.setenv("MAST_API_TOKEN", TOKEN)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return waited


@pytest.fixture
def archive() -> Iterator[Archive]:
    with serve() as archive:
        archive.files[NAME] = CONTENT
        yield archive


@pytest.fixture
def mast(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """The server is in the place of MAST's."""
    monkeypatch.setattr(addresses, "MAST", archive.address)
    return archive


class Target:
    """A file to download, and the lines on its progress."""

    def __init__(self, folder: Path, archive: Archive) -> None:
        self.path = folder / "exposures" / NAME
        self.part = folder / "exposures" / f"{NAME}.part"
        self.address = f"{archive.address}/x/{NAME}"
        self.lines: list[str] = []

    def fetch(self, address: str = "") -> None:
        fetch(address or self.address, str(self.path), self.lines.append)

    def check(self, content: bytes = CONTENT) -> None:
        assert self.path.read_bytes() == content
        assert [path.name for path in self.path.parent.iterdir()] == [NAME]

    def fail(self, address: str = "") -> str:
        with pytest.raises(InputError) as error:
            self.fetch(address)
        assert not self.path.exists()
        text = "\n".join([str(error.value), *self.lines])
        assert TOKEN not in text and "secret" not in text
        return text


@pytest.fixture
def target(archive: Archive, tmp_path: Path) -> Target:
    return Target(tmp_path, archive)


def test_a_file_arrives(archive: Archive, target: Target):
    target.fetch()
    target.check()
    assert target.lines == [f"{NAME}: 10.3 kB in 0.0 s"]
    assert archive.asked("Authorization") == archive.asked("Range") == [""]


def test_progress_by_bytes(target: Target, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(download, "INTERVAL", -1)
    target.fetch()
    assert len(target.lines) == 12
    assert target.lines[4].startswith(f"{NAME}: 5.0 kB of 10.3 kB (49%), ")


def test_what_is_cut_is_continued(archive: Archive, target: Target, pauses: list[float]):
    archive.faults[NAME] = [{"after": 3500}, {}, {"after": 2500}]
    target.fetch()
    target.check()
    assert archive.asked("Range") == ["", "", "bytes=3000-", "", "bytes=5000-"]
    assert target.lines[:2] == [
        f"{NAME}: the connection was cut; trying again in 1 s",
        f"{NAME}: continues after 3.0 kB",
    ]
    # It went on each time.
    assert pauses == [1, 1]


def test_an_interrupted_job_is_continued_by_the_next(archive: Archive, target: Target):
    archive.faults[NAME] = [{"after": 3500}, {"status": 503}, {"status": 503}]
    assert "responds 503 Service Unavailable, after 3 tries; run" in target.fail()
    archive.requests.clear()
    target.fetch()
    target.check()
    assert archive.asked("Range") == ["", "bytes=3000-"]


def test_another_process_is_faster(archive: Archive, target: Target):
    """It renamed the partial file: two runs share a folder, or Snakemake alone was killed."""
    report = target.lines.append

    def be_faster(line: str) -> None:
        report(line)
        if not target.path.exists():
            target.part.rename(target.path)

    fetch(target.address, str(target.path), be_faster)
    target.check()


def test_what_was_complete_is_not_downloaded_again(archive: Archive, target: Target):
    target.part.parent.mkdir()
    target.part.write_bytes(CONTENT)
    target.fetch()
    target.check()
    assert archive.asked("Range") == [""]


def test_a_server_without_ranges(archive: Archive, target: Target):
    archive.has_ranges = False
    archive.faults[NAME] = [{"after": 3500}]
    target.fetch()
    target.check()


@pytest.mark.parametrize("content", [b"SIMPLE  = F" + bytes(20000), b"SIMPLE", CONTENT * 2])
def test_parts_of_other_versions_are_not_continued(
    content: bytes, archive: Archive, target: Target
):
    target.part.parent.mkdir()
    target.part.write_bytes(content)
    archive.faults[NAME] = [{"after": 3500}]
    target.fetch()
    target.check()


def test_a_wrong_size(archive: Archive, target: Target):
    archive.faults[NAME] = [{"more": 5}] * 99
    assert "the connection was cut, after 3 tries; run the same command" in target.fail()
    assert (
        f"{NAME}: the file is shorter than the server states; trying again in 2 s" in target.lines
    )


@pytest.mark.parametrize("headers", [{"Content-Encoding": "identity"}, {"Content-Length": "?"}])
def test_a_size_that_is_not_known(headers: dict[str, str], archive: Archive, target: Target):
    archive.headers[NAME] = headers
    target.fetch()
    target.check()


def test_a_server_that_stalls(
    archive: Archive, target: Target, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
):
    monkeypatch.setattr(download, "TIMEOUT", (5, 0.2))
    archive.faults[NAME] = [{"after": 3500, "stall": 0.5}]
    target.fetch()
    target.check()
    assert target.lines[0] == f"{NAME}: the connection was cut; trying again in 1 s"


def test_a_server_that_is_busy_says_how_long(archive: Archive, target: Target, pauses: list[float]):
    busy = {"status": 429, "headers": {"Retry-After": "7"}}
    archive.faults[NAME] = [busy, {"status": 520, "headers": {"Retry-After": "86400"}}]
    target.fetch()
    target.check()
    assert pauses == [7, download.LONGEST_PAUSE]
    assert (
        target.lines[0] == f"{NAME}: the server responds 429 Too Many Requests; trying again in 7 s"
    )


def test_no_server(target: Target, pauses: list[float]):
    assert "no connection, after 3 tries; run the same" in target.fail(f"http://127.0.0.1:1/{NAME}")
    assert pauses == [1, 2]
    # No TLS: the error is not one of its certificate.
    assert "no connection, after" in target.fail(target.address.replace("http:", "https:"))
    assert "(LocationParseError); correct it" in target.fail(f"http://a..b/{NAME}")


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(403, "it is not public, or does not exist"), (404, "correct the address")],
)
def test_refusals(status: int, remedy: str, archive: Archive, target: Target, pauses: list[float]):
    archive.faults[NAME] = [{"status": status}]
    assert f"{target.address}: the server responds {status} " in (text := target.fail())
    assert remedy in text and not pauses


def test_the_token_is_for_mast_alone(
    mast: Archive, target: Target, monkeypatch: pytest.MonkeyPatch
):
    """On the way to another host, here another name of this one, it is dropped."""
    elsewhere = mast.address.replace("127.0.0.1", "localhost")
    mast.faults[NAME] = [{"status": 302, "headers": {"Location": f"{elsewhere}/b/{NAME}?X=secret"}}]
    target.fetch(f"mast:JWST/product/{NAME}")
    target.check()
    assert mast.asked("Authorization") == [f"token {TOKEN}", ""]
    assert [path for path, _ in mast.requests] == [
        f"/api/v0.1/Download/file?uri=mast%3AJWST%2Fproduct%2F{NAME}",
        f"/b/{NAME}?X=secret",
    ]
    mast.requests.clear()
    target.fetch(f"{elsewhere}/x/{NAME}")
    assert mast.asked("Authorization") == [""]


def test_where_the_token_is_needed(mast: Archive, target: Target, monkeypatch: pytest.MonkeyPatch):
    address = f"mast:JWST/product/{NAME}"
    mast.faults[NAME] = [{"status": 401}, {"status": 403}]
    assert "$MAST_API_TOKEN may have expired" in target.fail(address)
    monkeypatch.delenv("MAST_API_TOKEN")
    assert "set MAST_API_TOKEN to a token of" in target.fail(address)
    monkeypatch.setenv("MAST_API_TOKEN", f"{TOKEN}\n{TOKEN}")
    assert target.fail(address) == "MAST_API_TOKEN: has characters that no token has; set it again"


def test_urls_after_a_redirect_are_not_shown(archive: Archive, target: Target):
    """They may be signed."""
    for place in ("http://127.0.0.1:1/b?X=secret", f"{archive.address}/{NAME}?X=secret"):
        archive.faults[NAME] = [{"status": 302, "headers": {"Location": place}}] * 99
        target.fail()


def test_a_page_in_place_of_the_file(archive: Archive, target: Target, tmp_path: Path):
    archive.headers[NAME] = {"Content-Type": "text/html"}
    archive.files[NAME] = archive.files["x_asn.json"] = b"\n<!DOCTYPE html>"
    assert "has something else there (text/html); correct the address" in target.fail()
    with pytest.raises(InputError, match="has something else there"):
        fetch(f"{archive.address}/x_asn.json", str(tmp_path / "x_asn.json"), print)
    archive.files["x_asn.json"] = b""
    with pytest.raises(InputError, match="has something else there"):
        fetch(f"{archive.address}/x_asn.json", str(tmp_path / "x_asn.json"), print)
    archive.files["x_asn.json"] = b'\n{"asn_type": "spec3"}'
    fetch(f"{archive.address}/x_asn.json", str(tmp_path / "x_asn.json"), print)
    assert (tmp_path / "x_asn.json").read_bytes() == archive.files["x_asn.json"]


DIGESTS = {
    "Content-MD5": base64.b64encode(hashlib.md5(CONTENT).digest()).decode(),
    "Repr-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()}:",
    "ETag": f'"{hashlib.md5(CONTENT).hexdigest()}"',
}


@pytest.mark.parametrize("key", DIGESTS)
def test_digests(key: str, archive: Archive, target: Target):
    archive.headers[NAME] = {key: DIGESTS[key], "x-amz-request-id": "1"}
    target.fetch()
    target.check()
    archive.files[NAME] = CONTENT[:-1] + b"x"
    target.path.unlink()
    assert "is not that of the server, after 3 tries" in target.fail()
    assert not target.part.exists()


def test_space_on_the_disk(target: Target, monkeypatch: pytest.MonkeyPatch):
    """Of what others write meanwhile, something is left, too."""
    free = [download.RESERVE + size for size in (20000, 19000, 8000)]
    usage = shutil.disk_usage("/")
    with monkeypatch.context() as patch:
        patch.setattr(
            download.shutil, "disk_usage", lambda folder: usage._replace(free=free.pop(0))
        )
        assert f"has 16.8 MB of free space, and {NAME} needs 8.3 kB and" in target.fail()
    assert target.part.stat().st_size == 2000
    target.fetch()
    target.check()
