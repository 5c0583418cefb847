"""Headers edited by hand: a value is used if the schema accepts it, as by stdatamodels.

Products equal those of the jwst package; rejected values are reported with HDU and keyword.
"""

import math
import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning
from jwst_reference import differences, simulated
from stdatamodels.jwst.transforms.converters import UnsupportedConverter

from exp_to_source.diagnostics import Diagnostic
from exp_to_source.formats import tags
from exp_to_source.index import diagnostics
from exp_to_source.tables import read_table

DELETED = object()
LONG = "a 'long' text that goes on in other cards, & on" * 4

#: HDU, keyword, value, and what is reported if it is rejected.
EDITS = [
    ("PRIMARY", "NINTS", 5.0, "NINTS = 5.0 is not an integer"),
    ("PRIMARY", "NINTS", "5", "NINTS = '5' is not an integer"),
    ("PRIMARY", "NINTS", True, "NINTS = T is not an integer"),
    ("PRIMARY", "NINTS", -7, ""),
    ("PRIMARY", "EFFEXPTM", 5, ""),
    ("PRIMARY", "EFFEXPTM", "5.0", "EFFEXPTM = '5.0' is not a number"),
    ("PRIMARY", "GS_MAG", -1e-20, ""),
    ("PRIMARY", "GS_MAG", None, "GS_MAG has no value"),
    ("PRIMARY", "TITLE", 5, "TITLE = 5 is not a string"),
    ("PRIMARY", "TITLE", "", ""),
    ("PRIMARY", "TITLE", LONG, ""),
    ("PRIMARY", "TITLE", None, "TITLE has no value"),
    ("PRIMARY", "TITLE", DELETED, ""),
    ("PRIMARY", "SRCTYAPT", "point", "SRCTYAPT = 'point' is not one of EXTENDED, POINT, UNKNOWN"),
    ("PRIMARY", "SRCTYAPT", "EXTENDED", ""),
    ("PRIMARY", "SRCTYAPT", LONG, f"SRCTYAPT = {repr(LONG)[:20]}"),
    ("PRIMARY", "DETECTOR", "nrs1", "DETECTOR = 'nrs1' is not one of the 21 values"),
    ("PRIMARY", "SUBARRAY", "full", "SUBARRAY = 'full' is not one of"),
    ("PRIMARY", "SUBARRAY", "SUB512", ""),
    ("PRIMARY", "HGA_MOVE", 1, "HGA_MOVE = 1 is neither T nor F"),
    ("PRIMARY", "HGA_MOVE", True, ""),
    ("PRIMARY", "NOUTPUTS", 3, "NOUTPUTS = 3 is not one of"),
    ("PRIMARY", "NOUTPUTS", 1, ""),
    ("PRIMARY", "EXP_TYPE", "nrs_msaspec", "EXP_TYPE = 'nrs_msaspec' is not one of"),
    ("PRIMARY", "EXP_TYPE", DELETED, ""),
    ("PRIMARY", "MYWORD", 5, ""),
    ("SCI,2", "SRCTYPE", "point", "SRCTYPE = 'point' is not one of EXTENDED, POINT, UNKNOWN"),
    ("SCI,1", "SRCTYPE", "point", "SRCTYPE = 'point' is not one of EXTENDED, POINT, UNKNOWN"),
    ("SCI,1", "SRCTYPE", "EXTENDED", ""),
    ("SCI,2", "SRCTYPE", DELETED, ""),
    ("SCI,1-2", "SRCXPOS", "0.5", "SRCXPOS = '0.5' is not a number"),
    ("SCI,1", "SRCXPOS", 5, ""),
    ("SCI,1-2", "SLITID", 9, ""),
    ("SCI,1-2", "SRCNAME", True, "SRCNAME = T is not a string"),
    ("SCI,1", "SRCNAME", "another", ""),
    ("SCI,2", "SOURCEID", 7.0, "SOURCEID = 7.0 is not an integer"),
    ("SCI,1-2", "SHUTSTA", LONG, ""),
    ("SCI,1", "WAVECOR", 0, "WAVECOR = 0 is neither T nor F"),
    ("SCI,1", "SRCALIAS", None, "SRCALIAS has no value"),
    ("SCI,1", "PHOTMJSR", True, "PHOTMJSR = T is not a number"),
    ("SCI,1", "RADESYS", "FK5", "RADESYS = 'FK5' is not one of ICRS"),
    ("SCI,2", "EXPSTART", 5, ""),
    ("ERR,1", "BUNIT", 7, "BUNIT = 7 is not a string"),
    ("ERR,2", "BUNIT", "Jy", ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def simulation(tmp_path_factory) -> Path:
    """Simulate an exposure of two slits."""
    (path,) = simulated(tmp_path_factory.mktemp("sound"), sources=2, exposures=1)
    return path


@pytest.fixture
def exposure(simulation, tmp_path) -> Path:
    """Copy the exposure, to be edited."""
    return Path(shutil.copy(simulation, tmp_path))


def apply(path: Path, edits: list[tuple[str, str, Any, str]]) -> None:
    """Edit headers with astropy, as users do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VerifyWarning)  # Cards too long for their comment.
        with fits.open(path, mode="update") as hdus:
            for hdu, keyword, value, _ in edits:
                name, _, versions = hdu.partition(",")
                for version in versions.split("-") if versions else "1":
                    header = hdus[name, int(version)].header
                    if value is DELETED:
                        del header[keyword]
                    else:
                        header[keyword] = value


#: Edits of one keyword, five at most, stand together: no group has two of them.
@pytest.mark.parametrize("edits", [EDITS[start::5] for start in range(5)], ids=range(5))
def test_parity(exposure, tmp_path, edits):
    """Products equal jwst's, and what was rejected is in the table of remarks."""
    apply(exposure, edits)
    assert differences([exposure], tmp_path) == []
    rows = read_table(str(tmp_path / "ours" / "remarks.tsv"))
    reported = [row["remark"] for row in rows if row["level"] == "warning"]
    expected = [f"{hdu}: {words}" for hdu, _, _, words in edits if words]
    for start in expected:
        assert any(text.startswith(start) for text in reported), (start, reported)
    assert len(reported) == len(expected)
    assert all(text.endswith("; the ASDF tree's value stays") for text in reported)
    assert all(row["path"] == str(exposure) for row in rows)


def test_names_of_hdus_in_lower_case(exposure, tmp_path):
    """They are as good as others, as they are for astropy; products have capitals."""
    raw = exposure.read_bytes()
    edited = re.sub(
        rb"EXTNAME = '(ASDF|SCI|DQ)\b", lambda match: match[0][:11] + match[1].lower(), raw
    )
    assert all(b"EXTNAME = '" + name in edited for name in (b"asdf", b"sci", b"dq"))
    exposure.write_bytes(edited)
    assert differences([exposure], tmp_path) == []


def test_what_no_card_can_hold(tmp_path):
    """NaN and unknown attributes in the tree of an exposure whose headers were edited."""

    def edit(model, number):
        model.slits[0].slit_ymin = math.nan
        model.instance["odd"] = {"a": [1, math.nan]}

    (path,) = simulated(tmp_path, edit, sources=1, exposures=1)
    apply(path, [("PRIMARY", "NINTS", "x", "")])
    assert differences([path], tmp_path) == []


def test_many_remarks_are_bounded():
    many = [Diagnostic("note", f"{number}" * 1000) for number in range(1000)]
    kept = diagnostics.truncate(many)
    assert len(kept) == diagnostics.MAX_DIAGNOSTICS + 1
    assert max(len(text) for _, text in kept) <= diagnostics.MAX_LENGTH
    assert kept[-1].text.startswith("and 970 more")


def test_dropped_tags_are_those_of_stdatamodels():
    dropped = UnsupportedConverter.tag_to_max_version
    assert {f"{tag}*" for tag in tags.DROPPED_TAGS} == set(dropped)
    assert {tags.LAST_READ} == set(dropped.values())
