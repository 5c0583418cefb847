"""Associations that the jwst package writes, and which members it takes for exposures."""

import json
from pathlib import Path

import pytest
from jwst.associations.asn_from_list import Main
from jwst.datamodels import ModelContainer, container
from stdatamodels.jwst.datamodels import JwstDataModel

from exp_to_source.sources.associations import read_association

NAMES = [f"jw10006010001_03101_0000{number}_nrs1_cal.fits" for number in range(1, 8)]
PRODUCT = "jw10006-o010_{source_id}_nirspec_f170lp-g235m"


@pytest.fixture(autouse=True)
def exposures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        Path(name).touch()


@pytest.mark.filterwarnings("ignore:Support for associations as YAML:DeprecationWarning")
@pytest.mark.parametrize("ending", ["json", "yaml"])
def test_associations_of_asn_from_list(ending: str):
    path = f"mine_asn.{ending}"
    Main.cli(["-o", path, "-f", ending, "--product-name", f"{PRODUCT}.fits", *NAMES])
    association = read_association(path)
    assert association == (path, PRODUCT, NAMES, [], "none", ())
    assert (association.name, association.members) == ("mine_asn", NAMES)


def test_members_are_those_that_the_pipeline_takes(monkeypatch: pytest.MonkeyPatch):
    """Which looks whether 'science' begins with the type of a member."""
    types = ("science", "SCIENCE", "science ", "scince", "Sci", "", "target_acquisition")
    members = [
        {"expname": name, "exptype": exptype} for name, exptype in zip(NAMES, types, strict=True)
    ]
    path = Path("x_asn.json")
    product = {"name": PRODUCT, "members": members}
    path.write_text(json.dumps({"asn_type": "spec3", "asn_pool": "none", "products": [product]}))
    opened = []

    def read(file: Path) -> JwstDataModel:
        opened.append(str(file))
        return JwstDataModel()

    monkeypatch.setattr(container, "datamodel_open", read)
    ModelContainer(str(path), asn_exptypes=["science"]).close()
    association = read_association(str(path))
    assert association.science == opened
    unknown = [text for level, text in association.diagnostics if level == "warning"]
    assert len(opened) == 4 and len(unknown) == 4
