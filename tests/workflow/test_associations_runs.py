"""An association of the next pipeline, from its members to products."""

from pathlib import Path

import pytest
from jwst_reference import differences
from members import NAMES, TEMPLATE, write_association
from snake import Workflow
from stdatamodels.jwst.datamodels import MultiSlitModel

from exp_to_source.simulate.exposures import Simulation, simulate
from exp_to_source.sources.associations import read_association


def test_wfss_of_the_next_pipeline(tmp_path):
    """Slits in DN/s without photometry; the association names spectra; it is said once."""

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

    work = Workflow(tmp_path / "work", {"associations": path})
    work.make("verify")
    assert [row["product"] for row in work.sources] == [TEMPLATE.replace("t001", "s000000001")]
    assert work.log("list_sources").count("members are called _x1d") == 1
