"""Files of other kinds: found among exposures, they are passed over; named, they are an error."""

import json
import shutil
from pathlib import Path

import pytest
from snake import Workflow
from stdatamodels.jwst.datamodels import (
    ImageModel,
    JwstDataModel,
    MultiExposureModel,
    MultiSlitModel,
    MultiSpecModel,
)

PASSED = (
    "ignored 5 files of other kinds than spectroscopic exposures of many slits: 2 ImageModel "
    "(NRS_MSATA), 1 MultiExposureModel (NRS_MSASPEC), 1 MultiSlitModel (NRS_LAMP), "
    "1 MultiSpecModel"
)


def write(path: Path, model: JwstDataModel, exposure_type: str = "") -> Path:
    """Write a file of another kind into a folder of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with model:
        if exposure_type:
            model.meta.exposure.type = exposure_type
        model.save(path)
    return path


@pytest.fixture(scope="module")
def tree(finished: Workflow, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exposures among other files, in a folder each as MAST's portal unpacks them."""
    tree = tmp_path_factory.mktemp("MAST_2026-11-29T2100") / "JWST"
    for path in (finished.folder / "data").iterdir():
        folder = tree / path.name.removesuffix("_cal.fits")
        folder.mkdir(parents=True)
        shutil.copy(path, folder)
        (folder / f"{folder.name}_rate.fits").touch()
    for number in (1, 2):
        name = f"jw10006010001_02101_0000{number}_nrs1"
        write(tree / name / f"{name}_cal.fits", ImageModel((4, 4)), "NRS_MSATA")
    write(tree / "mine" / "product_cal.fits", MultiExposureModel(), "NRS_MSASPEC")
    write(tree / "mine" / "lamp_cal.fits", MultiSlitModel(), "NRS_LAMP")
    # Damaged, too, behind its first header.
    spectrum = write(tree / "mine" / "spectrum_cal.fits", MultiSpecModel())
    spectrum.write_bytes(spectrum.read_bytes()[:-3000])
    return tree.parent


def test_a_folder_of_the_archive_gives_the_products_of_its_exposures(
    finished: Workflow, tree: Path, tmp_path: Path
):
    work = Workflow(tmp_path / "work", {"exposures": tree}, printing=())
    result = work.run("verify", "report")
    assert result.status == 0, result.text
    assert work.products == finished.products
    assert result.text.count(" ignored: ") == 1
    assert f"\n{tree}: 8 files found in 6 folders, 3 ignored: 3 not *_cal.fits" in result.text
    assert f"\n{PASSED}; see {work.folder}/results/skipped.tsv\n" in result.text
    summary = json.loads((work.folder / "results" / "summary.json").read_text())
    assert (summary["skipped"], summary["passed_over"]) == (0, 5)
    assert work.log("list_sources").count(PASSED) == 1
    assert PASSED in (work.folder / "results" / "report.html").read_text()

    # What is named is an error, also if a glob finds it, if it was passed over before, and if
    # damaged files are skipped.
    image = next(tree.glob("JWST/*_02101_00001_nrs1/*"))
    both = f"['{tree}/JWST/*/*_cal.fits','{image}']"
    for way in ("skip", "stop"):
        result = work.run(exposures=both, on_bad_exposure=way)
        assert result.status == 1
        assert result.text.splitlines()[-1].startswith(
            f"exp-to-source index: {image}: holds ImageModel (NRS_MSATA); only MultiSlitModels"
        )
        assert "on_bad_exposure" not in result.text.splitlines()[-1]
    # What was not named is not indexed again, but exposures that are named now are.
    assert work.make()["index_exposure"] == 1
    exposures = sorted(map(str, tree.glob("JWST/*_03101_*/*_cal.fits")))
    assert work.make(exposures=exposures) == {"index_exposure": 3, "list_sources": 1}
    assert work.products == finished.products


def test_nothing_but_other_kinds(tree: Path, tmp_path: Path):
    work = Workflow(tmp_path / "work", {"exposures": tree / "JWST" / "mine"})
    result = work.run()
    assert result.status == 1
    last = result.text.splitlines()[-1]
    assert last.startswith(
        "exp-to-source list: no exposures to regroup: ignored 3 files of other kinds "
    )
    assert last.endswith("1 MultiSpecModel; correct the setting 'exposures'")
