"""Products equal those of the jwst package, byte by byte where that makes sense.

Where jwst has a defect that is not copied, the expected difference is written out.
"""

import copy
import re

import numpy as np
import pytest
from astropy.io import fits
from jwst_reference import differences, simulated

from exp_to_source.sources.associations import Association


def patched(paths):
    """Change exposures with astropy, so that the tree does not know of it and headers count."""
    for number, path in enumerate(paths, 1):
        fits.setval(path, "MYWORD", value=number)
    return paths


MODES = {
    "mos": {
        **{"sources": 2, "background": 1, "virtual": 1, "overlap": "partial"},
        "absent": (("barshadow", 1), ("wavelength", 2)),
    },
    "mos-unusual": {
        **{"mode": "mos", "source_ids": (-7, 1234567890), "exposures": 1},
        **{"fixed_slits": ("S200A1",), "detectors": ("nrs1", "nrs2")},
    },
    "fixed-slit": {"fixed_slits": ("S200A1", "S400A1"), "primary_slit": "S400A1"},
    "nircam-wfss": {"sources": 2, "orders": (1, 2)},
    "niriss-wfss": {"sources": 2, "orders": (1, 2), "overlap": "partial"},
    "miri-wfss": {"sources": 1, "orders": (1, 2)},
}


#: Instrument and optics in names of products, by the first word of the mode.
OPTICS = {
    **{"mos": "nirspec_f170lp-g235m", "fixed": "nirspec_f290lp-g395h-s", "miri": "miri_p750l"},
    **{"nircam": "nircam_f356w-grismr", "niriss": "niriss_f140m-gr150c"},
}


@pytest.mark.parametrize("mode", MODES)
def test_modes(tmp_path, mode):
    """Simulated exposures of all modes, in their variants."""
    # Of three exposures and a partial overlap, sources are in one, two and three.
    options = {"mode": mode, "exposures": 3 if mode == "mos" else 2}
    paths = simulated(tmp_path, **options | MODES[mode])
    assert differences(paths, tmp_path, opened=True) == []
    names = [path.name for path in (tmp_path / "ours" / "products").iterdir()]
    assert all(f"_{OPTICS[mode.split('-')[0]]}" in name for name in names)


def test_fixed_slit_in_one_mos_exposure(tmp_path):
    """jwst says NRS_MSASPEC at the top of what is a fixed slit's, for want of a second exposure."""
    paths = simulated(tmp_path, sources=1, exposures=1, fixed_slits=("S200A1",))
    assert differences(paths, tmp_path) == [
        "card PRIMARY,1 EXP_TYPE: EXP_TYPE= 'NRS_FIXEDSLIT'      / Type of data in the exposure"
        " / EXP_TYPE= 'NRS_MSASPEC'        / Type of data in the exposure",
        "meta.exposure.type: 'NRS_FIXEDSLIT' / 'NRS_MSASPEC'",
    ]


def test_mbsub(tmp_path):
    """Entries name their files, whatever those say; and exposures that never were in one asn."""

    def edit(model, number):
        del model.meta.instance["asn"]

    paths = simulated(tmp_path, edit, sources=1, exposures=2)
    paths = [path.rename(str(path).replace("_cal", "_mbsub")) for path in paths]
    assert differences(paths, tmp_path) == []


def test_names(tmp_path):
    """Slits without a name are grouped by id; those of one source are entries one by one."""

    def edit(model, number):
        one, same, nameless = model.slits
        same.source_id, same.source_name = one.source_id, one.source_name
        nameless.source_name = "  "
        if number == 2:
            del nameless.instance["source_name"]

    paths = simulated(tmp_path, edit, sources=3, exposures=2)
    assert differences(paths, tmp_path) == []


def test_area_of_first_slit(tmp_path):
    """The pixel area map is that of the detector, and only the first slit of WFSS data has it."""

    def edit(model, number):
        if number == 1:
            model.slits[0].area = np.ones((7, 9), "f4")

    paths = simulated(tmp_path, edit, mode="niriss-wfss", sources=2, exposures=2)
    assert differences(paths[::-1], tmp_path) == []
    # Planes of two shapes are no fault of edited headers if the tree has them, too.
    assert differences(patched(paths)[::-1], tmp_path / "patched") == []


def set_texts(model, number):
    """Set long text, quotes, what YAML takes for something else, and what no card can hold."""
    model.cal_logs.calwebb_spec2.append("détecteur, 検出器 \u2028 🔭")
    model.meta.program.title = f"{number} isn't short: {'the universe &' * 9}"
    model.meta.program.pi_name = "::"
    model.meta.target.proposer_name = "'"
    model.meta.target.catalog_name = "it's" * 16
    model.meta.target.description = "Stars, [old] {blue}?"
    model.meta.observation.observation_label = "a # b: [c, d] {e} & *f !g |h > %i @j `k"
    model.meta.observation.observation_folder = "&"
    model.meta.visit.status = "null"
    slit = model.slits[0]
    slit.shutter_state = "x1" * 60 + "'" * 40
    slit.source_alias = "'&'"
    slit.source_name = "1e3"
    slit.remark = "naïve\ttext\nof two lines, «quoted», 'quoted', \"quoted\" # \\ \x85 \u2028"
    slit.meta.wcsinfo.s_region = "POLYGON ICRS  " + " ".join(map(str, range(100)))


def set_numbers(model, number):
    """Set numbers of all magnitudes and booleans, in both PRIMARY and SCI."""
    values = [1e-300, 1e20, 0.1, -0.0, 1 / 3, -1.2345678901234567e-100, 1e16, 123456789.12345678]
    keys = ["gs_ra", "gs_dec", "gs_ura", "gs_udec", "gs_mag", "gs_umag", "gs_mura", "gs_mudec"]
    for key, value in zip(keys, values, strict=True):
        model.meta.guidestar.instance[key] = value * number
    model.meta.hga_move = number == 1
    model.meta.exposure.nints = 2**40 * number
    slit = model.slits[0]
    keys = "source_ra source_dec source_xpos source_ypos slit_xscale slit_yscale ta_xpos ta_ypos"
    for key, value in zip(keys.split(), values, strict=True):
        slit.instance[key] = value / number
    slit.wavelength_corrected = number == 2
    slit.meta.photometry.pixelarea_steradians = 1e-300
    slit.meta.wcsinfo.velosys = -0.0


def test_values(tmp_path):
    """Text and numbers of all kinds, taken from the tree or from the headers."""

    def edit(model, number):
        set_texts(model, number)
        set_numbers(model, number)

    paths = simulated(tmp_path, edit, sources=1, exposures=2)
    assert differences(paths, tmp_path) == []
    assert differences(patched(paths), tmp_path / "patched") == []


def set_unknown(model, number):
    """Set attributes, keywords and HDUs that no schema knows; the last two stay behind."""
    unknown = {"number": number, "list": [1, 2.5, "x", []], "nested": {"deep": {"a": 1}}}
    model.meta.instance["unknown"] = unknown | {"table": np.arange(3.0) + number}
    model.meta.instance["note"] = "exposure's"
    model.meta.target.instance["remark"] = [True, {"b": 1}]
    model.instance["unknown_too"] = {"x": np.arange(4)}
    model.instance["extra_fits"] = {
        "PRIMARY": {"header": [["MYWORD", number, "own"], ["TITLE2", "x" * 100, ""]]},
        "EXTRA": {"header": [["A", 1, ""]], "data": np.arange(4.0)},
    }
    for slit in model.slits[number - 1 :]:
        table = {"table": np.arange(6).reshape(2, 3)}
        slit.instance["unknown"] = copy.deepcopy(unknown) | table
        slit.meta.instance["note_of_slit"] = ["slit's", np.ones(3, bool)]
        slit.meta.instance["note"] = "slit's"


def set_both(model, number):
    """Set metadata that slit and exposure both have: the exposure's count, the slit's is added."""
    model.meta.instance["scalar_here"] = number
    model.meta.instance["mapping_here"] = {"exposure": number}
    model.meta.instrument.instance["detail"] = {"exposure": 1, "both": "exposure"}
    model.meta.instance["list"] = [1, 2]
    model.meta.instance["empty"] = {}
    del model.meta.visit.instance["type"]
    for slit in model.slits[: 2 - number]:
        meta = slit.meta.instance
        meta["scalar_here"] = {"slit": 1}
        meta["mapping_here"] = "slit"
        meta["list"] = [{"slit": 1}]
        meta["empty"] = {"slit": {"none": None, "list": [], "array": np.arange(5)}}
        meta.setdefault("instrument", {})["detail"] = {"slit": 2, "both": "slit"}
        meta.setdefault("target", {})["source_type"] = "EXTENDED"
        meta.setdefault("subarray", {})["slit"] = {"x": [1, 2], "y": None}
        meta.setdefault("exposure", {})["slit"] = 3
        meta.setdefault("visit", {})["type"] = "PRIME_TARGETED_FIXED"
        meta.setdefault("aperture", {})["slit"] = None


@pytest.mark.parametrize("mode", ["mos", "niriss-wfss"])
def test_metadata(tmp_path, mode):
    """What no schema knows goes along where it belongs to; metadata of two places are merged."""

    def edit(model, number):
        set_unknown(model, number)
        set_both(model, number)

    paths = simulated(tmp_path, edit, mode=mode, sources=2, exposures=2)
    assert differences(paths, tmp_path) == []


def test_cards_of_exposures_in_slits(tmp_path):
    """SCI has cards of an entry's metadata, which come from slit, exposure, both or neither."""

    def edit(model, number):
        meta = model.meta.instance
        for slit in model.slits:
            for key in ("aperture", "pointing", "velocity_aberration"):
                del slit.meta.instance[key]
        one, other = (slit.meta.instance for slit in model.slits)
        if number == 1:
            del meta["aperture"], meta["pointing"], meta["velocity_aberration"]
            meta["coordinates"] = {"reference_frame": "ICRS"}
            meta["target"]["source_type"] = "EXTENDED"
            del model.slits[1].instance["source_type"]
            one["aperture"] = {"position_angle": 12.5}
        else:
            one["coordinates"] = {"reference_frame": "ICRS"}
            other["pointing"] = {"ra_v1": -0.0, "dec_v1": 89.5, "pa_v3": 1e-7}
            meta["velocity_aberration"] = {"scale_factor": 1.0000123456789012}

    paths = simulated(tmp_path, edit, sources=2, exposures=2)
    assert differences(paths, tmp_path) == []


def test_wcsinfo_of_exposure(tmp_path):
    """jwst overwrites each slit's own wcsinfo with that of the exposure, where that has one."""

    def edit(model, number):
        model.meta.instance["wcsinfo"] = {"ra_ref": 200.0 + number, "s_region": "POLYGON"}

    paths = simulated(tmp_path, edit, sources=1, exposures=2)
    found = dict(text.split(": ", 1) for text in differences(paths, tmp_path))
    for number in (1, 2):
        words = re.findall(r"\('(\w+)', ", found.pop(f"cards SCI,{number}"))
        assert {*words} == {"RA_REF", "S_REGION", "CONTINUE"}
    assert {place: text.split(" / ")[1] for place, text in found.items()} == {
        "exposures[0].meta.wcsinfo.ra_ref": "201.0",
        "exposures[0].meta.wcsinfo.s_region": "'POLYGON'",
        "exposures[1].meta.wcsinfo.ra_ref": "202.0",
        "exposures[1].meta.wcsinfo.s_region": "'POLYGON'",
    }


def test_edited_source_id(tmp_path):
    """One keyword set in one exposure only, of the many that are not."""
    paths = simulated(tmp_path, mode="nircam-wfss", sources=1, exposures=2)
    fits.setval(paths[1], "SOURCEID", value=7, extname="SCI", extver=1)
    assert differences(paths, tmp_path) == []


def test_association(tmp_path):
    """The association of the run takes the place of that of stage 2."""

    def edit(model, number):
        if number == 1:
            del model.meta.instance["asn"]
        if number == 2:
            model.meta.asn.instance["exptype"] = "science"
            del model.meta.asn.instance["pool_name"]

    paths = simulated(tmp_path, edit, sources=1, exposures=2)
    template = "jw10006-o010_{source_id}_nirspec_f170lp-g235m"
    path = tmp_path / "jw10006-o010_20240911t015036_spec3_00001_asn.json"
    association = Association(str(path), template, [str(path) for path in paths], [], "it's.csv")
    assert differences(paths, tmp_path, association) == []
