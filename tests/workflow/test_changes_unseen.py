"""Changes that times of files do not tell, and changes while a run is at work."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from astropy.io import fits
from snake import ROOT, Workflow, change_slit

from exp_to_source.errors import InputError
from exp_to_source.formats.indices import is_stale
from exp_to_source.index import indexing
from exp_to_source.simulate.exposures import Simulation, simulate

LONG_AGO = time.time() - 9000


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A finished run of two exposures, with a catalogue."""
    folder = tmp_path_factory.mktemp("unseen") / "work"
    simulate(Simulation(exposures=2, sources=4, shape=(4, 8)), folder / "data")
    (folder / "cat.csv").write_text("id\n59\n60\n")
    work = Workflow(folder, {"exposures": "data", "catalog": "cat.csv"})
    work.make()
    return work


@pytest.fixture
def work(finished: Workflow, tmp_path: Path) -> Workflow:
    return Workflow(shutil.copytree(finished.folder, tmp_path / "work"), finished.config)


def exposures(work: Workflow) -> list[Path]:
    return sorted((work.folder / "data").iterdir())


def product(number: int) -> str:
    return f"jw10006-o010_s{number:05}_nirspec_f170lp-g235m_cal.fits"


def change_late(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Have an exposure change once all of its slits were read."""
    records = indexing.slit_layouts

    def late(*arguments):
        yield from records(*arguments)
        with open(path, "ab") as file:
            file.write(bytes(2880))

    monkeypatch.setattr(indexing, "slit_layouts", late)


def with_script(tmp_path: Path, script: str, code: str) -> Path:
    """A copy of the workflow in which a script does something once, before its own work."""
    root = tmp_path / "root"
    for part in ("Snakefile", "workflow", "scripts", "config", "profiles"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        root.mkdir(exist_ok=True)
        copy(ROOT / part, root / part)
    path = root / "scripts" / f"{script}.py"
    once = f"import os\nif not os.path.exists('done'):\n    open('done', 'w').close()\n    {code}\n"
    text = path.read_text()
    path.write_text(text.replace("    main()", f"    exec({once!r})\n    main()"))
    return root


def in_a_gather(finished: Workflow, tmp_path: Path, code: str) -> Workflow:
    """A run to be, of the exposures and the catalogue of another, whose first gather does that."""
    root = with_script(tmp_path, "gather_source", code)
    work = Workflow(tmp_path / "work", finished.config, root)
    shutil.copytree(finished.folder / "data", work.folder / "data")
    shutil.copy(finished.folder / "cat.csv", work.folder)
    return work


def test_exposures_with_the_names_of_the_example_are_never_written(tmp_path: Path):
    work = Workflow(tmp_path / "work", {"exposures": "exposures"})
    simulate(Simulation(exposures=3, sources=4, shape=(4, 8)), work.folder / "exposures")
    before = {path.name: path.read_bytes() for path in (work.folder / "exposures").iterdir()}
    work.make("--forceall")
    after = {path.name: path.read_bytes() for path in (work.folder / "exposures").iterdir()}
    assert after == before


def test_a_table_in_the_place_of_which_an_older_one_is_put(work: Workflow):
    table = work.folder / "cat.csv"
    table.write_text("id\n61\n")
    os.utime(table, (LONG_AGO, LONG_AGO))
    assert work.make() == {"list_sources": 1, "gather_source": 1}
    assert [row["source_id"] for row in work.sources] == ["61"]


def test_files_that_are_dated_anew_while_a_product_is_due(work: Workflow):
    before = work.products
    change_slit(exposures(work)[0], 59)
    work.make("sources")
    for path in work.folder.rglob("*"):
        if path.is_file():
            os.utime(path)
    assert work.make()["gather_source"] == 1
    assert work.products[product(59)] != before[product(59)]


def test_a_manifest_under_another_name(work: Workflow):
    manifests = work.folder / "results" / "manifests"
    one, other = (manifests / product(n).replace("_cal.fits", ".txt") for n in (59, 60))
    shutil.copy(one, other)
    result = work.run()
    assert result.status == 1
    assert f"is the manifest of {one.stem}, renamed; delete it and run again" in result.text


def test_a_request_that_is_not_what_its_name_says(work: Workflow):
    before = work.products
    (request,) = (work.folder / "results" / "request").glob("sources-*.txt")
    lines = request.read_text().splitlines(keepends=True)
    request.write_text("".join(lines[:-1]))
    assert work.make() == {"list_sources": 1}
    assert work.products == before


def test_a_source_list_that_lost_a_row(work: Workflow):
    table = work.folder / "results" / "sources.tsv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    (work.folder / "results" / "products" / product(60)).unlink()
    assert work.make() == {"list_sources": 1, "gather_source": 1}


def test_an_exposure_that_changes_while_it_is_indexed(work: Workflow, monkeypatch):
    path = exposures(work)[0]
    change_late(monkeypatch, path)
    with pytest.raises(InputError, match="changed while it was read; run again"):
        indexing.index_exposure(str(path), str(work.folder / "x.txt"))
    assert not (work.folder / "x.txt").exists()


def test_an_exposure_that_changes_during_the_run(finished: Workflow, tmp_path: Path):
    name = exposures(finished)[0].name
    code = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', "
        f"\"from astropy.io import fits; fits.setval('data/{name}', 'TARGNAME', value='EDITED')\"])"
    )
    work = in_a_gather(finished, tmp_path, code)
    result = work.run()
    assert result.status == 1
    assert f"data/{name}: changed while this run was at work; run the same command" in result.text
    work.make()
    path = work.folder / "results" / "products" / product(59)
    assert fits.getheader(path)["TARGNAME"] == "EDITED"


def test_what_the_settings_name_changes_during_the_run(finished: Workflow, tmp_path: Path):
    code = "open('cat.csv', 'w').write('id\\n61\\n')"
    work = in_a_gather(finished, tmp_path, code)
    result = work.run()
    assert result.status == 0
    assert "exposures or tables changed meanwhile: run the same command again" in result.text
    assert [row["source_id"] for row in work.sources] == ["59", "60"]
    work.make()
    assert [row["source_id"] for row in work.sources] == ["61"]


def test_fingerprints_of_an_exposure_that_is_replaced_by_an_older_one(work: Workflow):
    work.make("verify")
    path = exposures(work)[0]
    change_slit(path, 59)
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert work.make("verify")["fingerprint_exposure"] == 1


@pytest.mark.parametrize("date", ["abc", " ", "nan", "inf", "1e30"])
def test_dates_that_are_none(work: Workflow, date: str):
    manifest = work.folder / "results" / "manifests" / product(59).replace("_cal.fits", ".txt")
    command = [sys.executable, ROOT / "scripts" / "gather_source.py", manifest, "x_cal.fits"]
    environment = os.environ | {"SOURCE_DATE_EPOCH": date}
    said = subprocess.run(command, cwd=work.folder, capture_output=True, text=True, env=environment)
    assert said.returncode == 1
    assert said.stderr.startswith(f"gather_source: SOURCE_DATE_EPOCH is {date!r}, not a time in")


@pytest.mark.parametrize("name", ["results/index", "logs", ".snakemake"])
def test_files_in_the_place_of_folders(finished: Workflow, tmp_path: Path, name: str):
    work = Workflow(tmp_path / "work", finished.config)
    shutil.copytree(finished.folder / "data", work.folder / "data")
    shutil.copy(finished.folder / "cat.csv", work.folder)
    path = work.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    result = work.run()
    assert result.status == 1
    if name != ".snakemake":  # That one Snakemake itself looks at before.
        assert f"exp_to_source: {name}: is not a folder; move it away" in result.text


def test_a_product_that_is_not_chosen_is_refused_without_a_traceback(work: Workflow):
    result = work.run(f"results/products/{product(61)}")
    assert result.status == 1
    assert "exp_to_source: jw10006-o010_s00061_nirspec_f170lp-g235m: not chosen" in result.text
    assert "Traceback" not in result.text


def test_a_glob_that_reaches_into_the_results(work: Workflow):
    assert work.make(exposures="**/*_cal.fits") == {}
    assert work.make(exposures="**/*_cal.fits", min_exposures=2) == {"list_sources": 1}


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_one_file_under_two_names(work: Workflow, link):
    path = exposures(work)[0]
    link(path, path.with_name("another_cal.fits"))
    result = work.run()
    assert result.status == 1
    assert "are one file; leave one of them out" in result.text


def test_a_product_that_is_due_and_whose_source_goes_is_moved_away(work: Workflow):
    first, second = exposures(work)
    change_slit(first, 59)
    work.make("sources")
    products = work.folder / "results" / "products"
    assert (products / product(59)).exists()
    for path in (first, second):
        path.rename(work.folder / path.name)
    simulate(Simulation(exposures=1, source_ids=(61,), shape=(4, 8)), work.folder / "data")
    Workflow(work.folder, {"exposures": "data"}).make("sources")
    assert not (products / product(59)).exists()
    assert (work.folder / "results" / "stale" / product(59)).exists()


def test_an_exposure_that_changes_while_it_is_read_and_skipped(work: Workflow, monkeypatch):
    path, index = exposures(work)[0], work.folder / "x.txt"
    change_late(monkeypatch, path)
    (remark,) = indexing.index_or_reason(str(path), str(index))
    assert "changed while it was read" in remark.text
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert is_stale(str(index), str(path))
