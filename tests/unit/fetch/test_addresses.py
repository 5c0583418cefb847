"""Addresses in settings, and the requests that they stand for."""

import pytest

from exp_to_source.errors import InputError
from exp_to_source.fetch.addresses import is_address, parse_address, request_url

NAME = "jw01345066001_03101_00001_nrs1_cal.fits"
URI = f"mast:JWST/product/{NAME}"
MAST = "https://mast.stsci.edu/api/v0.1/Download/file?uri="


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (URI, f"{MAST}mast%3AJWST%2Fproduct%2F{NAME}"),
        (f"{MAST}{URI}", f"{MAST}mast%3AJWST%2Fproduct%2F{NAME}"),
        (f"s3://stpubdata/jwst/{NAME}", f"https://stpubdata.s3.amazonaws.com/jwst/{NAME}"),
        (f"https://example.org/a/{NAME}", f"https://example.org/a/{NAME}"),
    ],
)
def test_requests(address: str, url: str, monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    assert is_address(address) and not is_address(NAME)
    assert request_url(parse_address(address)) == url


def test_buckets_of_another_server(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000/")
    assert request_url("s3://b/a/x_cal.fits") == "http://127.0.0.1:9000/b/a/x_cal.fits"


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("https://me:secret@example.org/x_cal.fits", "has a name or password"),
        ("https://example.org/x_cal.fits?Signature=secret", "what follows the path may be secret"),
        ("https://example.org/get?file=secret", "what follows the path may be secret"),
        ("https://example.org/x_cal.fits.gz", "not the address of one file"),
        ("https://example.org/jw*_cal.fits", "not the address of one file"),
        ("https://example.org/", "not the address of one file"),
        ("https://[1/x_cal.fits", "not a valid address"),
    ],
)
def test_addresses_that_cannot_be_fetched(address: str, fault: str):
    with pytest.raises(InputError, match=fault) as error:
        parse_address(address)
    assert "secret@" not in str(error.value) and "=secret" not in str(error.value)
