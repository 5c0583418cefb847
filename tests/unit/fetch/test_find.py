"""Programs at MAST, of which a server on this machine answers as its documents say."""

from collections.abc import Iterator

import pytest
from archive import Archive, serve

from exp_to_source.cli import main
from exp_to_source.errors import InputError
from exp_to_source.fetch.find import find_products

portal = pytest.importorskip("astroquery.mast.discovery_portal", reason="needs astroquery")

URI = "mast:JWST/product/"
EXPOSURES = [f"jw01345066001_03101_0000{n}_nrs{d}_cal.fits" for n in (1, 2) for d in (1, 2)]
ASSOCIATION = "jw01345-o066_20240726t010203_spec3_00001_asn.json"
OTHERS = [
    # Of another observation, stage or kind; a source's, and older versions.
    "jw01345067001_03101_00001_nrs1_cal.fits",
    "jw01345066001_03101_00001_nrs1_rate.fits",
    "jw01345066001_03101_00001_nrs1_cal.jpg",
    "jw01345-o066_s00061_nirspec_f170lp-g235m_cal.fits",
    "jw01345-o066_20230101t010203_spec3_00001_asn.json",
    "jw01345-o066_20240726t010203_spec2_00001_asn.json",
    "jw01345-c1003_20240726t010203_spec3_00001_asn.json",
]


def product(name: str, rights: str = "PUBLIC") -> dict[str, object]:
    size = 1000000 if name.endswith("_cal.fits") else None
    return {
        **{"obsID": "1", "obs_collection": "JWST", "productFilename": name},
        **{"dataURI": f"{URI}{name}", "size": size, "dataRights": rights},
    }


@pytest.fixture(autouse=True)
def mast(monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    with serve() as archive:
        for name in ("MAST_REQUEST_URL", "COLUMNS_CONFIG_URL"):
            url = getattr(portal.PortalAPI, name).replace("https://mast.stsci.edu", archive.address)
            monkeypatch.setattr(portal.PortalAPI, name, url)
        modes = {
            "jw01345-o066_s00061_nirspec_f170lp-g235m": "NIRSPEC/MSA",
            "jw01345066001_03101_00001_nrs1": "NIRSPEC/MSA",
            "jw01345068001_03101_00001_nrcalong": "NIRCAM/GRISM",
            "jw01345-o069_t001_nirspec_g235m-f170lp": "NIRSPEC/IFU",
            "jw01345-o067_s00061_nirspec_f170lp-g235m": "NIRSPEC/MSA",
        }
        archive.observations = [
            {
                **{"obsid": str(id_), "obs_collection": "JWST", "proposal_id": "1345"},
                **{"instrument_name": mode, "calib_level": 3, "target_name": "x", "obs_id": name},
            }
            for id_, (name, mode) in enumerate(modes.items(), 1)
        ]
        names = [*EXPOSURES, ASSOCIATION, *OTHERS]
        archive.products = {
            "1": [product(name) for name in names],
            # Products of several observations are the same.
            "2": [product(EXPOSURES[0], "EXCLUSIVE_ACCESS")],
            "3": [product("jw01345068001_03101_00001_nrcalong_cal.fits")],
            "4": [product("jw01345069001_03101_00001_nrs1_cal.fits")],
            "5": [product(OTHERS[0])],
        }
        yield archive


def test_addresses_of_an_observation(mast: Archive, capsys: pytest.CaptureFixture[str]):
    """Products of others are not even requested."""
    del mast.products["5"]
    main(["find", "1345", "--observation", "66", "--mode", "mos"])
    out, err = capsys.readouterr()
    assert out.splitlines() == [f"{URI}{name}" for name in [*EXPOSURES, ASSOCIATION]]
    assert err == (
        "4 exposures (4.0 MB), 1 association; 1 not public yet, which need $MAST_API_TOKEN\n"
    )


def test_a_whole_program():
    names = [product.name for product in find_products(1345, None, None)]
    expected = [*EXPOSURES, OTHERS[0], "jw01345068001_03101_00001_nrcalong_cal.fits", ASSOCIATION]
    assert names == expected


@pytest.mark.parametrize("arguments", [(1345, 1, None), (1345, None, "miri-wfss"), (2, None, None)])
def test_nothing(arguments: tuple[int, int | None, str | None]):
    with pytest.raises(InputError, match=r"^program \d+.*: MAST has no \*_cal.fits of .*; correct"):
        find_products(*arguments)


def test_mast_does_not_respond(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(portal.PortalAPI, "MAST_REQUEST_URL", "http://127.0.0.1:1/invoke")
    with pytest.raises(InputError, match=r"^MAST does not respond \(ConnectionError\); run the"):
        find_products(1345, None, None)
