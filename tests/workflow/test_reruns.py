"""Only what changed is rerun: the jobs that Snakemake runs, counted by rule."""

import shutil
from pathlib import Path

from astropy.io import fits
from snake import ROOT, Workflow, change_slit

from exp_to_source import FORMAT

SOURCE = "jw10006-o010_{}_nirspec_f170lp-g235m_cal.fits"
BY_TIME = "--rerun-triggers=mtime"


def exposures(work: Workflow) -> list[Path]:
    return sorted((work.folder / "data").glob("*.fits"))


def sources_of(path: Path) -> set[int]:
    with fits.open(path) as hdus:
        return {h.header["SOURCEID"] for h in hdus if h.name == "SCI"}


def test_one_slit_changed(work: Workflow):
    """With what Snakemake recorded of earlier runs, by times alone, and without any record."""
    for options, path in zip(([], [BY_TIME], ["--drop-metadata"]), exposures(work), strict=True):
        if "--drop-metadata" in options:
            shutil.rmtree(work.folder / ".snakemake")
        assert work.make(*options) == {}
        before = work.products
        change_slit(path, 61)
        if not options:
            text = work.run("--dry-run").text
            assert "updated input files:\n        index_exposure\n" in text
            assert "input files updated by another job:\n        all, list_sources\n" in text
        assert work.make(*options) == {"index_exposure": 1, "list_sources": 1, "gather_source": 1}
        after = work.products
        assert [name for name in after if after[name] != before[name]] == [SOURCE.format("s00061")]


def test_exposure_removed_and_another_added(work: Workflow):
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
    new = next((work.folder / "aside").iterdir())
    shutil.copy(new, work.folder / "data")
    jobs = {"index_exposure": 1, "list_sources": 1, "gather_source": len(sources_of(new))}
    assert work.make(BY_TIME) == jobs


def test_what_times_do_not_show_ends_in_a_sentence(work: Workflow):
    """A setting changes, and Snakemake has nothing to compare it with."""
    before = work.products
    for option in (BY_TIME, "--cores=2"):
        result = work.run(option, min_exposures=2)
        assert result.status == 1
        assert "run once with --forcerun list_sources" in result.text
        assert work.products == before
        shutil.rmtree(work.folder / ".snakemake")
    assert work.make("--forcerun=list_sources", min_exposures=2) == {"list_sources": 1}
    assert len(work.sources) < len(before)


def test_files_lost_and_same_bytes_again(work: Workflow):
    """Snakemake compares the content of small files."""
    results = work.folder / "results"
    manifest = results / "manifests" / SOURCE.format("s00061").replace("_cal.fits", ".txt")
    content = manifest.read_bytes()
    manifest.unlink()
    assert work.make() == {"list_sources": 1}
    assert manifest.read_bytes() == content
    first, second, _ = exposures(work)
    data = first.read_bytes()
    first.unlink()
    first.write_bytes(data)
    (results / "index" / f"{second.stem}.txt").unlink()
    assert work.make() == {"index_exposure": 2, "list_sources": 1}
    (results / "sources.ecsv").unlink()
    assert work.make() == {"list_sources": 1}
    assert (results / "sources.ecsv").exists()


def test_renaming_moves_the_old_products_away(work: Workflow):
    before = set(work.products)
    assert work.make(source_id_digits=9) == {"list_sources": 1, "gather_source": len(before)}
    assert SOURCE.format("s000000061") in work.products
    assert not before & set(work.products)
    assert {path.name for path in (work.folder / "results" / "stale").iterdir()} == before


def test_product_deleted_and_new_format(work: Workflow, tmp_path: Path):
    """By another clone, which is no reason to rerun anything; a new format is."""
    for part in ("Snakefile", "workflow", "scripts", "config", "profiles"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    moved = Workflow(work.folder, work.config, tmp_path)
    before = set(work.products)
    (work.folder / "results" / "products" / SOURCE.format("s00061")).unlink()
    assert moved.make() == {"gather_source": 1}
    assert set(work.products) == before
    module = tmp_path / "scripts" / "exp_to_source" / "__init__.py"
    module.write_text(module.read_text().replace(f"FORMAT = {FORMAT}", "FORMAT = 999"))
    assert moved.make() == {"index_exposure": 3, "list_sources": 1, "gather_source": len(before)}


def test_all_is_forced_but_exposures_named_like_those_of_the_example(work: Workflow):
    """They are never written."""
    folder = (work.folder / "data").rename(work.folder / "exposures")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert "jw10006010001_03101_00001_nrs1_cal.fits" in {path.name for path in before}
    jobs = work.make("--forceall", exposures="exposures")
    assert jobs == {"index_exposure": 3, "list_sources": 1, "gather_source": len(work.products)}
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_bad_exposure_is_skipped_and_not_verified(work: Workflow):
    path = exposures(work)[0]
    path.write_bytes(path.read_bytes()[:60000])
    skipped = work.run("verify", on_bad_exposure="skip")
    assert skipped.status == 0, skipped.text
    assert skipped.jobs["fingerprint_exposure"] == 2
    assert f"1 exposure skipped, see {work.folder}/results/skipped.tsv" in skipped.text
    _, row = (work.folder / "results" / "skipped.tsv").read_text().splitlines()
    assert row.startswith(f"{path.stem}\tdata/{path.name}\tdata/{path.name}: truncated")
    assert {int(row["exposures"]) for row in work.sources} <= {1, 2}
    stopped = work.run()
    assert stopped.status == 1
    assert f"exp-to-source index: data/{path.name}: truncated" in stopped.text
