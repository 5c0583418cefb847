"""How the workflow makes the report."""

import json
from pathlib import Path

from pages import Page
from snake import Workflow

from exp_to_source.cli import main
from exp_to_source.simulate.exposures import Simulation, simulate


def test_workflow_writes_the_report_after_the_products(tmp_path: Path):
    data = tmp_path / "data"
    simulate(Simulation(exposures=2, sources=2, shape=(4, 8)), data)
    workflow = Workflow(tmp_path / "work", {"exposures": data})
    jobs = workflow.make("report")
    assert jobs["gather_source"] == 2
    assert jobs["write_report"] == 1
    path = workflow.folder / "results" / "report.html"
    page = Page(path.read_text())
    assert "2 of 2" in page.text
    assert json.dumps(str(data)) in page.text
    assert "1.14.0 (2)" in page.text
    assert page.data["quicklooks"] == [0, 0]
    assert workflow.make("report") == {}

    name = page.data["products"][0]
    workflow.make(f"results/quicklook/{name}.png")
    workflow.make("verify")
    assert workflow.make("report")["write_report"] == 1
    page = Page(path.read_text())
    assert [bool(picture) for picture in page.data["quicklooks"]] == [True, False]
    assert page.row(name)["verdict"] == "ok"
    own = tmp_path / "own.html"
    done = workflow.run("report", f"--report={own}")
    assert done.status == 0, done.text
    for file in ("sources.tsv", "report.html", f"{name}.png"):
        assert f"Adding {file}" in done.text
    assert "one asinh stretch" in own.read_text()

    assert workflow.make("report", group_by="source_id")["write_report"] == 1
    text = path.read_text()
    assert "source_id" in Page(text).text

    # By the command itself, which takes all measurements in the folder.
    main(["report", str(path.with_name("settings.json")), str(path)])
    assert Page(path.read_text()).data == Page(text).data
