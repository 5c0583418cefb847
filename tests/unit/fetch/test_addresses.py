"""Addresses in settings, and the requests that they stand for."""

import socket
from pathlib import Path

import pytest

from exp_to_source.errors import InputError
from exp_to_source.fetch.addresses import beside, is_address, parse_address, request_url
from exp_to_source.sources.associations import read_association
from exp_to_source.workflow.configuration import check_configuration
from exp_to_source.workflow.resolve import Run, resolve_run

NAME = "jw01345066001_03101_00001_nrs1_cal.fits"
URI = f"mast:JWST/product/{NAME}"
MAST = "https://mast.stsci.edu/api/v0.1/Download/file?uri="


def resolve(**config: object) -> Run:
    config = {"exposures": []} | config
    check_configuration(config)
    return resolve_run(config, "results", [], False, lambda key: "")


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


def test_lists_in_files(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Of exposures and associations: each setting takes its own, as from a folder."""
    monkeypatch.setattr(socket, "socket", None)  # No network is used.
    asn = "mast:JWST/product/jw01345-o066_20240101t000000_spec3_00001_asn.json"
    Path("list.txt").write_text(f"# of MAST\n{URI}\n\n*_cal.fits\n{asn}\n{asn}\n")
    run = resolve(exposures="@list.txt", associations="@list.txt")
    fetched = f"results/exposures/{NAME}"
    assert list(run.exposures.values()) == [fetched, "a_cal.fits", "b_cal.fits"]
    assert run.settings.associations == [f"results/exposures/{asn[18:]}"]
    assert run.addresses == {fetched: URI, run.settings.associations[0]: asn}
    # As in a folder, files of other kinds are passed over.
    assert not run.named and not run.is_complete
    assert resolve(exposures=URI).named == {NAME.removesuffix(".fits")}
    Path("list.txt").write_text("a_cal.fits\n")
    with pytest.raises(InputError, match=r"list.txt: lists no associations; write"):
        resolve(associations=["@list.txt"])
    with pytest.raises(InputError, match=r"'@gone.txt' is not a file; correct the setting"):
        resolve(exposures="@gone.txt")


def test_two_files_of_one_name(folder: Path):
    with pytest.raises(InputError, match="have one name; leave one out"):
        resolve(exposures=[URI, f"s3://stpubdata/jwst/{NAME}"])


def test_members_are_beside_their_association(folder: Path):
    asn = "https://example.org/a/x_asn.json"
    run = resolve(associations=asn)
    assert (run.exposures, run.is_complete) == ({}, False)
    Path("results/exposures").mkdir(parents=True)
    Path("results/exposures/x_asn.json").write_text(
        '{"asn_type": "spec3", "products": [{"name": "x", "members": ['
        '{"expname": "c_x1d.fits", "exptype": "science"},'
        '{"expname": "d_x1d.fits", "exptype": "background"},'
        f'{{"expname": "{NAME}", "exptype": "science"}}]}}]}}'
    )
    # One that is named by itself is taken from there.
    run = resolve(associations=asn, exposures=URI)
    assert list(run.exposures) == [NAME.removesuffix(".fits"), "c_cal"]
    for name in ("c_cal.fits", "d_x1d.fits"):
        assert run.addresses[f"results/exposures/{name}"] == beside(asn, name)
    assert resolve(associations=asn, prepare=True).members.keys() == run.exposures.keys()
    assert run.addresses[f"results/exposures/{NAME}"] == URI
    assert run.exposure_trigger("c_cal") == "https://example.org/a/c_cal.fits"
    content = Path("results/exposures/x_asn.json").read_text()
    Path("results/exposures/x_asn.json").write_text(content.replace("d_x1d", "../d_x1d"))
    with pytest.raises(InputError, match=r"/../d_x1d.fits' is in another folder, and members are"):
        resolve(associations=asn)
    with pytest.raises(InputError, match="is a spectrum, and its exposure"):
        read_association("results/exposures/x_asn.json")
