"""Runs with a table of joins: only what it changes is rerun."""

import shutil
from pathlib import Path

import pytest
from astropy.io import fits
from snake import Workflow
from stdatamodels.jwst import datamodels

from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.sources.join_table import read_joins
from exp_to_source.verify.products import Verifier
from exp_to_source.verify.verdicts import JoinLookup

SHAPE = (4, 8)
HEAD = "exposure\tslit_name\tsource_id\tsource_name\ttarget\tproduct\n"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two observations, in which source 61 is 72 in the second."""
    folder = tmp_path_factory.mktemp("joins")
    what = {"shape": SHAPE, "exposures": 1}
    simulate(Simulation(source_ids=(60, 61, 62), **what), folder / "data")
    simulate(Simulation(source_ids=(61, 72), observation=11, **what), folder / "data")
    jobs = Workflow(folder, {"exposures": "data"}).make()
    assert jobs["gather_source"] == 5
    return folder


@pytest.fixture
def work(finished: Path, tmp_path: Path) -> Workflow:
    config = {"exposures": "data", "joins": "joins.tsv"}
    work = Workflow(shutil.copytree(finished, tmp_path / "work"), config)
    (work.folder / "joins.tsv").write_text(
        f"{HEAD}jw10006010*\t\t61\t\t61\t\njw10006011*\t\t72\t\t61\t\n"
    )
    return work


def test_changed_joins_run_only_their_gathers(work: Workflow):
    jobs = work.make("verify")
    assert (jobs["index_exposure"], jobs["gather_source"]) == (0, 1)
    name = "jw10006-o010_s00061_nirspec_f170lp-g235m"
    (row,) = (row for row in work.sources if row["joined"])
    parts = [name, "jw10006-o011_s00072_nirspec_f170lp-g235m"]
    assert (row["product"], row["exposures"], row["joined"]) == (name, "2", ",".join(parts))
    path = work.folder / "results" / "products" / f"{name}_cal.fits"
    with datamodels.open(path) as product:
        assert isinstance(product, datamodels.MultiExposureModel)
        # The entries are unchanged: the table has their identity.
        assert [entry.source_id for entry in product.exposures] == [61, 72]
    history = list(fits.getheader(path)["HISTORY"])
    assert history[-3:] == ["Joined by the user, of what would be:", *parts]
    # The second part is no source any more; its product is moved away.
    assert [p.name for p in (work.folder / "results" / "stale").iterdir()] == [
        f"{parts[1]}_cal.fits"
    ]
    # Without the table, or with another, that product is not sound.
    fingerprints = str(work.folder / "results" / "verify" / "exposures")
    errors = Verifier(fingerprints).verify(str(path))[0].errors
    assert errors[0] == "its entries are of several sources: 61, 72"
    assert "HISTORY" in errors[1]
    other = work.folder / "other.tsv"
    other.write_text(f"{HEAD}jw10006010*\t\t61\t\t61\n")
    lookup = JoinLookup(read_joins(str(other)))
    (error,) = Verifier(fingerprints, (), lookup).verify(str(path))[0].errors
    assert "entries are of several targets of the joins, or some of none" in error

    once = {"list_sources": 1, "gather_source": 1}
    joins = work.folder / "joins.tsv"
    text = joins.read_text()
    joins.write_text(f"{text}jw10006010*\t\t60\t\t99\t\n")
    assert work.make() == once
    assert {int(row["source_id"]) for row in work.sources} == {61, 62, 99}
    joins.write_text(f"# The same.\n{text}jw10006010*\t\t60\t\t99\t\n")
    assert work.make(sources="[61,62]") == {"list_sources": 1}
    joins.write_text(text)
    assert work.make() == once
    del work.config["joins"]
    # Source 61 of the first observation is alone again, and 72 is back.
    assert work.make() == {"list_sources": 1, "gather_source": 2}


def test_sources_of_two_observations_at_one_place(work: Workflow):
    """The list of what is joined, and how far it is apart, is there before any product."""
    del work.config["joins"]
    (one, other) = (row for row in work.sources if row["source_id"] == "61")
    assert (one["ra"], one["dec"]) == (other["ra"], other["dec"])
    place = f"{one['ra']} {float(one['dec']) + 0.3 / 3600} 0.4arcsec"
    choice = {"join_radius": 0.5, "sources": place}
    result = work.run("sources", **choice)
    assert result.jobs == {"list_sources": 1, "sources": 1}
    names = f"{one['product']} and {other['product']}"
    assert f'1 by place, see results/joins.tsv:\n  {names} at 0.000"' in result.text
    jobs = work.make("verify", **choice)
    assert jobs["gather_source"] == 1
    (row,) = work.sources
    assert (row["exposures"], row["joined"]) == ("2", f"{one['product']},{other['product']}")
