"""How the workflow makes the report."""

import json
import re
from pathlib import Path

from pages import Page
from snake import Workflow

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
    assert workflow.make() == {}

    name = page.data["products"][0]
    workflow.make(f"results/quicklook/{name}.png")
    assert workflow.make("verify")["verify"] == 1
    assert workflow.make("report")["write_report"] == 1
    page = Page(path.read_text())
    assert [bool(picture) for picture in page.data["quicklooks"]] == [True, False]
    assert page.row(name)["verdict"] == "ok"
    own = tmp_path / "own.html"
    done = workflow.run("report", f"--report={own}")
    assert done.status == 0, done.text
    assert re.search(r"Adding sources\.tsv", done.text)
    assert re.search(r"Adding report\.html", done.text)
    assert f"Adding {name}.png" in done.text
    assert "one asinh stretch" in own.read_text()

    assert workflow.make("report", group_by="source_id")["write_report"] == 1
    assert "source_id" in Page(path.read_text()).text


def test_words_of_yaml_are_understood_on_the_command_line(tmp_path: Path):
    result = Workflow(tmp_path, {"quicklook": "true", "demo": "false"}).run("--dry-run")
    assert "no exposures: set 'exposures'" in result.text
    result = Workflow(tmp_path, {"quicklook": "perhaps"}).run("--dry-run")
    assert "configuration: quicklook cannot be 'perhaps'" in result.text
