"""Exposures and associations at addresses: fetched once, and used without a network."""

from pathlib import Path

import pytest
from archive import serve
from snake import Workflow, change_slit

from exp_to_source.simulate.exposures import Simulation, simulate

TOKEN = "0123456789abcdef"


def test_an_association_at_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its members are known once it is there; what was fetched stays, until it is asked for."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setenv("MAST_API_TOKEN", TOKEN)
    local = tmp_path / "local"
    paths = simulate(
        Simulation(exposures=2, source_ids=(60, 61), association=True, shape=(4, 8)), local
    )
    plain = Workflow(tmp_path / "plain", {"associations": local})
    plain.make()
    (asn,) = local.glob("*_asn.json")
    work = Workflow(tmp_path / "work", {})
    with serve() as archive:
        archive.files = {path.name: path.read_bytes() for path in [asn, *paths]}
        work.config["associations"] = f"{archive.address}/{asn.name}"
        archive.faults[paths[1].name] = [{"after": 5000}]
        result = work.run()
        assert result.status == 0, result.text
        assert result.jobs["fetch_exposure"] == 3
        assert f"{paths[1].name}: the connection was cut; trying again in 1 s" in result.text
        assert work.products == plain.products

        change_slit(paths[0], 61)
        archive.files[paths[0].name] = paths[0].read_bytes()
        jobs = work.make("--forcerun=fetch_exposure")
        assert (jobs["fetch_exposure"], jobs["gather_source"]) == (3, 1)

        fetched = work.folder / "results" / "exposures" / paths[1].name
        archive.faults[fetched.name] = [{"status": 404}]
        result = work.run(f"--forcerun=results/exposures/{fetched.name}")
        assert result.status == 1
        assert result.text.endswith("the server responds 404 Not Found; correct the address\n")
        assert fetched.read_bytes() == archive.files[fetched.name]
        fetched.unlink()
        expected = {"fetch_exposure": 1, "index_exposure": 1, "list_sources": 1}
        assert work.make() == expected
    # No server, and no network.
    assert work.make(offline="true").keys() == {"list_sources"}
    files = [path for path in work.folder.rglob("*") if path.is_file()]
    assert not any(TOKEN.encode() in path.read_bytes() for path in files)

    fetched.unlink()
    result = work.run(offline="true")
    assert result.status == 1
    assert f"/{paths[1].name}: was not fetched yet, and 'offline' allows no network" in result.text
