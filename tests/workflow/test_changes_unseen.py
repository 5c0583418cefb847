"""Changes that times of files do not show, and changes during a run."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from astropy.io import fits
from snake import ROOT, Workflow
from tiny import write_tiny

from exp_to_source.cli import main
from exp_to_source.errors import InputError
from exp_to_source.files import date_now
from exp_to_source.formats.indices import is_stale
from exp_to_source.gather.product import gather_source
from exp_to_source.index import indexing
from exp_to_source.workflow.checks import check_results
from exp_to_source.workflow.exposures import name_exposures
from exp_to_source.workflow.inputs import find_exposures
from exp_to_source.workflow.triggers import file_trigger

LONG_AGO = 1.6e9
NAME = "jw10006-o010_s{:05}_nirspec_f170lp-g235m"


def test_manifest_under_another_name(finished: Workflow, tmp_path: Path):
    manifests = finished.folder / "results" / "manifests"
    path = shutil.copy(manifests / f"{NAME.format(59)}.txt", tmp_path / f"{NAME.format(60)}.txt")
    sentence = f"is the manifest of {NAME.format(59)}, renamed; delete it and run again"
    with pytest.raises(InputError, match=sentence):
        gather_source(str(path), str(tmp_path / "x_cal.fits"), str(manifests.parent / "index"))


@pytest.mark.parametrize("skip", [False, True])
def test_exposure_that_changes_while_it_is_indexed(tmp_path: Path, monkeypatch, skip: bool):
    path, index = tmp_path / "a_cal.fits", tmp_path / "x.txt"
    write_tiny(path)
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


def test_changes_during_a_run(work: Workflow, tmp_path: Path):
    """Of bytes of an exposure: the run fails; of a table: it uses its state at the start."""
    shutil.rmtree(work.folder / "results" / "products")
    table, path = work.folder / "cat.csv", sorted((work.folder / "data").iterdir())[0]
    table.write_text("id\n59\n60\n")
    work.config["catalog"] = "cat.csv"
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
    # Nor does it matter if the table is older than all that was made of the other.
    os.utime(table, (LONG_AGO, LONG_AGO))
    assert work.make() == {"index_exposure": 1, "list_sources": 1, "gather_source": 1}
    assert [row["source_id"] for row in work.sources] == ["61"]
    with fits.open(work.folder / "results" / "products" / f"{NAME.format(61)}_cal.fits") as hdus:
        assert hdus["SCI", 1].data[0, 0] == 42


def test_manifest_of_another_list_is_put_back(
    finished: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(finished.folder)
    manifest = finished.folder / "results" / "manifests" / f"{NAME.format(59)}.txt"
    product = tmp_path / f"{NAME.format(59)}_cal.fits"
    (digest,) = (row["digest"] for row in finished.sources if row["source_id"] == "59")
    main(["gather", str(manifest), str(product), digest])
    with pytest.raises(SystemExit, match="is not the manifest of this source list; delete it"):
        main(["gather", str(manifest), str(product), "0" * 16])


def test_exposure_is_another_file_when_it_is_indexed(finished: Workflow, tmp_path: Path):
    exposure = shutil.copy(next((finished.folder / "data").iterdir()), tmp_path)
    state = file_trigger(exposure)
    command = ["index", exposure, str(tmp_path / "index.txt"), f"--state={state}"]
    main(command)
    os.utime(exposure, (LONG_AGO, LONG_AGO))
    with pytest.raises(SystemExit, match="changed during this run; run the same command again"):
        main(command)


@pytest.mark.parametrize("date", ["abc", " ", "nan", "inf", "1e30"])
def test_dates_that_are_none(monkeypatch: pytest.MonkeyPatch, date: str):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", date)
    with pytest.raises(InputError, match=f"SOURCE_DATE_EPOCH is {date!r}, not a time in"):
        date_now()


@pytest.mark.parametrize("name", ["results/index", "logs", ".snakemake"])
def test_files_in_place_of_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.touch()
    with pytest.raises(InputError, match=f"{name}: is not a folder; move it away"):
        check_results("results")


def test_glob_that_reaches_into_the_results(finished: Workflow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(finished.folder)
    found = {path.split("/")[0] for path in find_exposures(["**/*_cal.fits"], "results")}
    assert found == {"data", "aside"}


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_one_file_under_two_names(tmp_path: Path, link):
    paths = [str(tmp_path / name) for name in ("a_cal.fits", "b_cal.fits")]
    Path(paths[0]).touch()
    link(*paths)
    with pytest.raises(InputError, match="are one file; leave one of them out"):
        name_exposures(paths)
