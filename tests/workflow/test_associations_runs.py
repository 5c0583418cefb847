"""Associations, from their members to products that are verified."""

import json
from pathlib import Path

import pytest
from astropy.io import fits
from jwst_reference import differences
from members import NAMES, TEMPLATE, write_association
from snake import Workflow
from stdatamodels.jwst.datamodels import MultiSlitModel

from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.sources.associations import read_association


@pytest.fixture
def mos(finished: Workflow, tmp_path: Path) -> Path:
    """An association of which one member is background; others are not there."""
    paths = map(str, sorted((finished.folder / "data").iterdir()))
    members = list(zip(paths, ("science", "background", "science"), strict=True))
    members += [("gone_cal.fits", "target_acquisition"), ("other_cal.fits", "science ")]
    product = {
        "name": "jw10006-o010_{source_id}_nirspec_f170lp-g235m",
        "members": [{"expname": name, "exptype": kind} for name, kind in members],
    }
    path = tmp_path / "jw10006-o010_20260101t000000_spec3_00001_asn.json"
    path.write_text(json.dumps({"asn_type": "spec3", "products": [product]}))
    return path


def test_background_beside_wfss_of_the_next_pipeline(mos: Path, tmp_path: Path):
    """Slits in DN/s without photometry; the association names spectra, which is noted once."""

    def on_save(model, path):
        for slit in model.slits:
            del slit.meta.instance["photometry"]
            slit.meta.bunit_data = slit.meta.bunit_err = "DN/s"
        save(model, path)

    save = MultiSlitModel.on_save
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MultiSlitModel, "on_save", on_save)
        options = {"mode": "nircam-wfss", "sources": 1, "exposures": 2, "version": "3.0.0"}
        paths = simulate(Simulation(shape=(4, 6), **options), tmp_path)
    names = [path.name.removesuffix("_cal.fits") for path in paths]
    path = Path(write_association(tmp_path, "x1d"))
    text = path.read_text()
    for old, new in zip(NAMES, names, strict=True):
        text = text.replace(old, new)
    path.write_text(text)
    association = read_association(str(path))
    assert association.science == list(map(str, paths))
    assert differences(paths, tmp_path, association) == []

    work = Workflow(tmp_path / "work", {"associations": f"['{mos}','{path}']"})
    result = work.run("verify")
    assert result.status == 0, result.text
    assert result.jobs["index_exposure"] == 4
    assert f"  warning: {mos}: exptype 'science ' is not known" in result.text
    log = work.log("list_sources")
    assert "its 1 background and 1 target_acquisition members are not regrouped" in log
    assert "the setting 'prepare' subtracts the background" in log
    assert log.count("members are called _x1d") == 1
    tables = {}
    for row in work.sources:
        product = work.folder / "results" / "products" / f"{row['product']}_cal.fits"
        tables[row["product"]] = fits.getval(product, "ASNTABLE")
    assert tables.pop(TEMPLATE.replace("t001", "s000000001")) == path.name
    assert set(tables.values()) == {mos.name}
