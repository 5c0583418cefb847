"""How the workflow makes quick looks."""

from pathlib import Path

from snake import Workflow

from exp_to_source.simulate.exposures import Simulation, simulate


def test_workflow_draws_on_demand_or_always(tmp_path: Path):
    data = tmp_path / "data"
    simulate(Simulation(mode="niriss-wfss", exposures=2, sources=2, shape=(4, 8), orders=(1, 2)),
             data)  # fmt: skip
    workflow = Workflow(tmp_path / "work", {"exposures": data})
    name = "results/quicklook/jw10006-o010_s00001_niriss_f140m-gr150c.png"
    assert workflow.make(name)["draw_quicklook"] == 1
    first = (workflow.folder / name).read_bytes()
    assert workflow.make() == {"gather_source": 1}
    assert workflow.make("quicklook", "--forcerun=draw_quicklook")["draw_quicklook"] == 2
    assert (workflow.folder / name).read_bytes() == first
    (workflow.folder / name).unlink()
    assert workflow.make() == {}
    assert workflow.make(quicklook=True) == {"list_sources": 1, "draw_quicklook": 1}
    assert (workflow.folder / name).read_bytes() == first
