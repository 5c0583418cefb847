"""Only what changed is rerun: the jobs that Snakemake runs, counted by rule."""

import os
import shutil
from pathlib import Path

import pytest
from astropy.io import fits
from snake import ROOT, Workflow, change_slit

from exp_to_source import FORMAT
from exp_to_source.simulate.exposures import Simulation, simulate

SHAPE = (4, 8)
SOURCE = "jw10006-o010_{}_nirspec_f170lp-g235m_cal.fits"

#: Ways to run: with what Snakemake recorded of earlier runs, or by times alone.
WAYS = {
    "as usual": (),
    "by time alone": ("--rerun-triggers=mtime",),
    "no .snakemake": ("--drop-metadata",),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Working directory of a finished run of three exposures, and one more set aside.

    The first has sources that no other has, and sources that others have too.
    """
    folder = tmp_path_factory.mktemp("reruns") / "work"
    simulate(Simulation(exposures=4, overlap="partial", shape=SHAPE), folder / "data")
    (folder / "aside").mkdir()
    second = sorted((folder / "data").iterdir())[1]
    second.rename(folder / "aside" / second.name)
    run = Workflow(folder, {"exposures": "data"})
    assert run.make()["gather_source"] == len(run.products)
    return folder


@pytest.fixture
def work(finished: Path, tmp_path: Path) -> Workflow:
    """A copy of the finished run, times and all."""
    return Workflow(shutil.copytree(finished, tmp_path / "work"), {"exposures": "data"})


def exposures(work: Workflow) -> list[Path]:
    return sorted((work.folder / "data").glob("*.fits"))


def sources_of(path: Path) -> set[int]:
    with fits.open(path) as hdus:
        return {h.header["SOURCEID"] for h in hdus if h.name == "SCI"}


def test_same_bytes_again(work: Workflow):
    path = exposures(work)[0]
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)
    assert work.make() == {"index_exposure": 1, "list_sources": 1}
    assert work.make() == {}


@pytest.mark.parametrize("way", WAYS)
def test_one_slit_changed(work: Workflow, way: str):
    if way == "no .snakemake":
        shutil.rmtree(work.folder / ".snakemake")
    assert work.make(*WAYS[way]) == {}
    before = work.products
    change_slit(exposures(work)[1], 61)
    assert work.make(*WAYS[way]) == {"index_exposure": 1, "list_sources": 1, "gather_source": 1}
    after = work.products
    assert [name for name in after if after[name] != before[name]] == [SOURCE.format("s00061")]
    assert work.make(*WAYS[way]) == {}


@pytest.mark.parametrize("way", ["as usual", "by time alone"])
def test_exposure_added(work: Workflow, way: str):
    new = next((work.folder / "aside").iterdir())
    shutil.copy(new, work.folder / "data")
    count = len(sources_of(new))
    jobs = {"index_exposure": 1, "list_sources": 1, "gather_source": count}
    assert work.make(*WAYS[way]) == jobs


def test_exposure_removed(work: Workflow):
    first, *others = exposures(work)
    remaining = set().union(*map(sources_of, others))
    alone, changed = sources_of(first) - remaining, sources_of(first) & remaining
    assert alone and changed
    first.unlink()
    assert work.make() == {"list_sources": 1, "gather_source": len(changed)}
    assert {int(row["source_id"]) for row in work.sources} == remaining
    gone = sorted(SOURCE.format(f"s{source_id:05d}") for source_id in alone)
    message = f"moved to results/stale, as there are no such sources any more: {', '.join(gone)}"
    assert message in work.log("list_sources")
    results = work.folder / "results"
    for name in gone:
        assert name not in work.products
        assert (results / "stale" / name).exists()
        assert not (results / "manifests" / name.replace("_cal.fits", ".txt")).exists()
    assert work.make() == {}


@pytest.mark.parametrize("way", ["by time alone", "no .snakemake"])
def test_what_times_do_not_show_ends_in_a_sentence(work: Workflow, way: str):
    """A setting changes, and Snakemake has nothing to compare it with."""
    if way == "no .snakemake":
        shutil.rmtree(work.folder / ".snakemake")
    before = work.products
    result = work.run(*WAYS.get(way, ()), min_exposures=2)
    assert result.status == 1
    assert "run once with --forcerun list_sources" in result.text
    assert work.products == before
    assert work.make("--forcerun=list_sources", min_exposures=2) == {"list_sources": 1}
    assert len(work.sources) < len(before)


def test_product_deleted(work: Workflow):
    before = work.products
    (work.folder / "results" / "products" / SOURCE.format("s00061")).unlink()
    assert work.make() == {"gather_source": 1}
    assert set(work.products) == set(before)


def test_manifest_lost(work: Workflow):
    """It is written again as it was; Snakemake compares the content of small files."""
    manifest = work.folder / "results" / "manifests" / SOURCE.format("s00061")
    manifest = manifest.with_name(manifest.name.replace("_cal.fits", ".txt"))
    content = manifest.read_bytes()
    manifest.unlink()
    assert work.make() == {"list_sources": 1}
    assert manifest.read_bytes() == content
    # What was lost is a parameter of the list, which is other now.
    assert work.make() == {"list_sources": 1}
    assert work.make() == {}


def test_index_lost(work: Workflow):
    next((work.folder / "results" / "index").iterdir()).unlink()
    assert work.make() == {"index_exposure": 1, "list_sources": 1}


def test_renaming_moves_the_old_products_away(work: Workflow):
    before = set(work.products)
    assert work.make(source_id_digits=9) == {"list_sources": 1, "gather_source": len(before)}
    assert SOURCE.format("s000000061") in work.products
    assert not before & set(work.products)
    assert {path.name for path in (work.folder / "results" / "stale").iterdir()} == before


def test_configuration_affects_only_its_own(work: Workflow):
    simulate(
        Simulation(mode="fixed-slit", observation=11, exposures=1, shape=SHAPE, version="1.13.0"),
        work.folder / "data",
    )
    assert work.make()["gather_source"] == 5
    jobs = work.make(fixed_slit_ids="table")
    # The primary slit, S200A1, has id 1 in the header and in the table alike.
    assert jobs == {"list_sources": 1, "gather_source": 4}


def test_new_format_reruns_everything(work: Workflow, tmp_path: Path):
    for part in ("Snakefile", "workflow", "scripts", "config", "profiles"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    moved = Workflow(work.folder, work.config, tmp_path)
    assert moved.make() == {}
    module = tmp_path / "scripts" / "exp_to_source" / "__init__.py"
    module.write_text(module.read_text().replace(f"FORMAT = {FORMAT}", "FORMAT = 999"))
    products = len(work.products)
    assert moved.make() == {"index_exposure": 3, "list_sources": 1, "gather_source": products}


def test_forced(work: Workflow):
    assert work.make("--forcerun=gather_source") == {"gather_source": len(work.products)}


def test_dry_run_explains(work: Workflow):
    change_slit(exposures(work)[1], 61)
    text = work.run("--dry-run").text
    assert "updated input files:\n        index_exposure\n" in text
    assert "input files updated by another job:\n        all, list_sources\n" in text


def test_bad_exposure_is_skipped(work: Workflow):
    path = exposures(work)[0]
    path.write_bytes(path.read_bytes()[:60000])
    stopped = work.run()
    assert stopped.status == 1
    assert f"exp-to-source index: data/{path.name}: truncated" in stopped.text
    skipped = work.run(on_bad_exposure="skip")
    assert skipped.status == 0, skipped.text
    assert f"1 exposure skipped, see {work.folder}/results/skipped.tsv" in skipped.text
    _, row = (work.folder / "results" / "skipped.tsv").read_text().splitlines()
    assert row.startswith(f"{path.stem}\tdata/{path.name}\tdata/{path.name}: truncated")
    assert {int(row["exposures"]) for row in work.sources} <= {1, 2}
    again = work.run()
    assert again.status == 1
    assert f"data/{path.name}: truncated" in again.text


def test_one_bad_source_does_not_stop_the_others(work: Workflow):
    """One slit of an exposure changes unnoticed, its file keeping size and time."""
    before = work.products
    for name in before:
        (work.folder / "results" / "products" / name).unlink()
    path = exposures(work)[0]
    whole, times = path.read_bytes(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    with fits.open(path) as hdus:
        place = hdus["SCI", 1].fileinfo()["datLoc"]
        name = SOURCE.format(f"s{hdus['SCI', 1].header['SOURCEID']:05d}")
    path.write_bytes(whole[:place] + b"!" + whole[place + 1 :])
    os.utime(path, ns=times)
    result = work.run()
    assert result.status == 1
    assert set(work.products) == set(before) - {name}
    assert f"data/{path.name}: changed since it was indexed; delete " in result.text
    assert (
        f"failed: {name.removesuffix('_cal.fits')} (see {work.folder}/logs/gather_source/"
        in result.text
    )
    assert result.text.splitlines()[-1].startswith("exp-to-source gather: ")
    path.write_bytes(whole)
    os.utime(path, ns=times)
    assert work.make() == {"gather_source": 1}
    assert work.make() == {}
