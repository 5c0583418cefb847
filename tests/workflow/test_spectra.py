"""Spectra are made source by source, and again only where their product changed."""

import os
from pathlib import Path

import pytest
from snake import Workflow, change_slit

from exp_to_source.simulate.exposures import Simulation, simulate


@pytest.fixture
def work(tmp_path: Path) -> Workflow:
    what = {"exposures": 2, "sources": 2, "virtual": 1, "shape": (12, 40)}
    simulate(Simulation(**what), tmp_path / "data")
    return Workflow(tmp_path / "work", {"exposures": tmp_path / "data", "offline": True})


def test_only_what_changed_is_extracted_again(work: Workflow):
    done = work.make("spec3")
    assert done["extract_slit_spectrum"] == 2
    folder = work.folder / "results" / "spec3"
    # Virtual slits are not asked for.
    assert len(list(folder.iterdir())) == 2 * 3
    assert work.make("spec3") == {}
    change_slit(sorted((work.folder.parent / "data").glob("*_cal.fits"))[1], 60)
    assert work.make("spec3") == {
        "index_exposure": 1, "list_sources": 1, "gather_source": 1, "extract_slit_spectrum": 1,
        "spec3": 1,
    }  # fmt: skip
    # One by its name.
    name = next(folder.glob("*_s00059_*_x1d.fits"))
    name.unlink()
    target = os.path.relpath(name, work.folder)
    assert work.make(target) == {"extract_slit_spectrum": 1}


def test_one_bad_source_does_not_keep_others_from_their_spectra(work: Workflow):
    """A product that does not open: of two, the other's spectrum is made."""
    work.make()
    products = sorted((work.folder / "results" / "products").glob("*_s*_cal.fits"))
    content = products[0].read_bytes()
    products[0].write_bytes(content.replace(b"XTENSION= 'IMAGE", b"XTENSION= 'IMAGO"))
    result = work.run("spec3", "--rerun-triggers=input")
    assert result.status == 1
    assert f"run_spec3: results/products/{products[0].name}: " in result.text
    made = {path.name for path in (work.folder / "results" / "spec3").iterdir()}
    assert f"{products[1].name.removesuffix('_cal.fits')}_x1d.fits" in made
