"""Observing modes whose exposures can be regrouped: one table for all stages."""

from typing import NamedTuple


class ModeKeywords(NamedTuple):
    """EXP_TYPE and INSTRUME of a mode, and its name at MAST (MAST, "JWST Instrument Names")."""

    exposure_type: str
    instrument: str
    archive_name: str


MODES = {
    "mos": ModeKeywords("NRS_MSASPEC", "NIRSPEC", "NIRSPEC/MSA"),
    "fixed-slit": ModeKeywords("NRS_FIXEDSLIT", "NIRSPEC", "NIRSPEC/SLIT"),
    "nircam-wfss": ModeKeywords("NRC_WFSS", "NIRCAM", "NIRCAM/GRISM"),
    "niriss-wfss": ModeKeywords("NIS_WFSS", "NIRISS", "NIRISS/WFSS"),
    "miri-wfss": ModeKeywords("MIR_WFSS", "MIRI", "MIRI/WFSS"),
}

EXPOSURE_TYPES = tuple(mode.exposure_type for mode in MODES.values())
INSTRUMENTS = tuple(dict.fromkeys(mode.instrument for mode in MODES.values()))

#: Keys of ``meta.instrument`` whose values are the optical elements in names of products.
ELEMENTS = ("filter", "grating", "pupil")

#: In this mode the slit may identify the source, and is part of the product's name.
FIXED_SLIT = "NRS_FIXEDSLIT"

#: SOURCEIDs of fixed slits before pipeline version 1.12 (jwst documentation, "Source ID").
FIXED_SLIT_IDS = {"S200A1": 1, "S200A2": 2, "S400A1": 3, "S1600A1": 4, "S200B1": 5}


def is_grism(exposure_type: str) -> bool:
    """Whether a grism disperses the whole field (WFSS) in exposures of this EXP_TYPE."""
    return exposure_type.endswith("_WFSS")


def guess_exposure_type(instrument: str, slit_name: str) -> str | None:
    """Return the EXP_TYPE of a slit of an exposure that states none; None if it is not known."""
    if slit_name.upper() in FIXED_SLIT_IDS:
        return FIXED_SLIT
    # The first mode of an instrument: all others have one.
    types = (mode.exposure_type for mode in MODES.values() if mode.instrument == instrument)
    return next(types, None)
