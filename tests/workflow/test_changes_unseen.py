"""Changes that times of files do not show, and changes during a run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from astropy.io import fits
from snake import ROOT, Workflow

from exp_to_source.errors import InputError
from exp_to_source.formats.indices import is_stale
from exp_to_source.index import indexing
from exp_to_source.run.checks import check_results
from exp_to_source.run.exposures import name_exposures
from exp_to_source.simulate.exposures import Simulation, simulate

LONG_AGO = 1.6e9
NAME = "jw10006-o010_s{:05}_nirspec_f170lp-g235m"


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
    return Workflow(shutil.copytree(finished.folder, tmp_path / "work"), dict(finished.config))


def exposures(work: Workflow) -> list[Path]:
    return sorted((work.folder / "data").iterdir())


def manifest(work: Workflow, number: int) -> Path:
    return work.folder / "results" / "manifests" / f"{NAME.format(number)}.txt"


def test_exposures_with_the_names_of_the_example_are_never_written(tmp_path: Path):
    work = Workflow(tmp_path / "work", {"exposures": "exposures"})
    simulate(Simulation(exposures=3, sources=1, shape=(4, 8)), work.folder / "exposures")
    before = {path: path.read_bytes() for path in (work.folder / "exposures").iterdir()}
    work.make("--forceall")
    assert {path: path.read_bytes() for path in before} == before


def test_older_table_in_place_of_another(work: Workflow):
    table = work.folder / "cat.csv"
    table.write_text("id\n61\n")
    os.utime(table, (LONG_AGO, LONG_AGO))
    assert work.make() == {"list_sources": 1, "gather_source": 1}
    assert [row["source_id"] for row in work.sources] == ["61"]


def test_manifest_under_another_name(work: Workflow):
    shutil.copy(manifest(work, 59), manifest(work, 60))
    result = work.run()
    assert result.status == 1
    assert f"is the manifest of {NAME.format(59)}, renamed; delete it and run again" in result.text


def test_source_list_that_lost_a_row(work: Workflow):
    table = work.folder / "results" / "sources.tsv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    (work.folder / "results" / "products" / f"{NAME.format(60)}_cal.fits").unlink()
    assert work.make() == {"list_sources": 1, "gather_source": 1}


@pytest.mark.parametrize("skip", [False, True])
def test_exposure_that_changes_while_it_is_indexed(work: Workflow, monkeypatch, skip: bool):
    path, index = exposures(work)[0], work.folder / "x.txt"
    read_layouts = indexing.slit_layouts

    def change_at_the_end(*arguments):
        yield from read_layouts(*arguments)
        with path.open("ab") as file:
            file.write(bytes(2880))

    monkeypatch.setattr(indexing, "slit_layouts", change_at_the_end)
    if skip:
        (remark,) = indexing.index_or_reason(str(path), str(index))
        assert "changed while it was read" in remark.text
        os.utime(path, (LONG_AGO, LONG_AGO))
        assert is_stale(str(index), str(path))
    else:
        with pytest.raises(InputError, match="changed while it was read; run again"):
            indexing.index_exposure(str(path), str(index))
        assert not index.exists()


def test_changes_during_a_run(finished: Workflow, tmp_path: Path):
    """Of bytes of an exposure: the run fails; of a table: it uses its state at the start."""
    work = Workflow(tmp_path / "work", dict(finished.config))
    shutil.copytree(finished.folder / "data", work.folder / "data")
    table, path = work.folder / "cat.csv", exposures(work)[0]
    table.write_text("id\n59\n60\n")
    python, edit = tmp_path / "python", tmp_path / "edit.py"
    edit.write_text(
        "from pathlib import Path\nfrom snake import change_slit\n"
        "Path('cat.csv').write_text('id\\n61\\n')\n"
        f"for source_id in (59, 60, 61):\n    change_slit(Path({str(path)!r}), source_id)\n"
    )
    python.write_text(
        "#!/bin/sh\ncase $* in *gather_source.py*) [ -e done ] || { touch done\n"
        f"PYTHONPATH={ROOT}/tests {sys.executable} {edit}; }};; esac\n"
        f'exec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    result = work.run("--cores=1", python=python)
    assert result.status == 1
    assert f"data/{path.name}: changed since it was indexed; delete " in result.text
    assert [row["source_id"] for row in work.sources] == ["59", "60"]
    assert work.make() == {"index_exposure": 1, "list_sources": 1, "gather_source": 1}
    assert [row["source_id"] for row in work.sources] == ["61"]
    with fits.open(work.folder / "results" / "products" / f"{NAME.format(61)}_cal.fits") as hdus:
        assert hdus["SCI", 1].data[0, 0] == 42


@pytest.mark.parametrize("date", ["abc", " ", "nan", "inf", "1e30"])
def test_dates_that_are_none(work: Workflow, date: str):
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "gather_source.py", manifest(work, 59), "x_cal.fits"],
        cwd=work.folder,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"SOURCE_DATE_EPOCH": date},
    )
    assert done.returncode == 1
    sentence = f"exp-to-source gather: SOURCE_DATE_EPOCH is {date!r}, not a time in"
    assert done.stderr.startswith(sentence)


@pytest.mark.parametrize("name", ["results/index", "logs", ".snakemake"])
def test_files_in_place_of_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.touch()
    with pytest.raises(InputError, match=f"{name}: is not a folder; move it away"):
        check_results("results")


def test_product_that_is_not_chosen(work: Workflow):
    result = work.run(f"results/products/{NAME.format(61)}_cal.fits")
    assert result.status == 1
    assert f"exp-to-source: {NAME.format(61)}: not chosen" in result.text
    assert "Traceback" not in result.text


def test_glob_that_reaches_into_the_results(work: Workflow):
    assert work.make(exposures="**/*_cal.fits") == {"list_sources": 1}
    assert {row["exposures"] for row in work.sources} == {"2"}


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_one_file_under_two_names(tmp_path: Path, link):
    paths = [str(tmp_path / name) for name in ("a_cal.fits", "b_cal.fits")]
    Path(paths[0]).touch()
    link(*paths)
    with pytest.raises(InputError, match="are one file; leave one of them out"):
        name_exposures(paths)
