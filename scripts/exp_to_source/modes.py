"""Observing modes whose exposures can be regrouped: one table for all stages."""

from typing import NamedTuple


class Mode(NamedTuple):
    """A mode, as named in headers.

    Attributes
    ----------
    exposure_type, instrument : str
        EXP_TYPE and INSTRUME.
    """

    exposure_type: str
    instrument: str

    @property
    def has_slits(self) -> bool:
        """Whether light passes slits; otherwise a grism disperses the whole field (WFSS)."""
        return not is_grism(self.exposure_type)


def is_grism(exposure_type: str) -> bool:
    """Whether exposures of an EXP_TYPE are those of a grism without slits (WFSS)."""
    return exposure_type.endswith("_WFSS")


def guess_exposure_type(instrument: str, slit_name: str) -> str | None:
    """Return the EXP_TYPE of a slit of an exposure that states none; None if it is not known."""
    if slit_name.upper() in FIXED_SLIT_IDS:
        return FIXED_SLIT
    types = {mode.instrument: mode.exposure_type for mode in MODES.values()}
    return MODES["mos"].exposure_type if instrument == "NIRSPEC" else types.get(instrument)


MODES = {
    "mos": Mode("NRS_MSASPEC", "NIRSPEC"),
    "fixed-slit": Mode("NRS_FIXEDSLIT", "NIRSPEC"),
    "nircam-wfss": Mode("NRC_WFSS", "NIRCAM"),
    "niriss-wfss": Mode("NIS_WFSS", "NIRISS"),
    "miri-wfss": Mode("MIR_WFSS", "MIRI"),
}

EXPOSURE_TYPES = tuple(mode.exposure_type for mode in MODES.values())
INSTRUMENTS = tuple(dict.fromkeys(mode.instrument for mode in MODES.values()))

#: Keys of ``meta.instrument`` whose values are the optical elements in names of products.
ELEMENTS = ("filter", "grating", "pupil")

#: In this mode the slit may identify the source, and is part of the product's name.
FIXED_SLIT = MODES["fixed-slit"].exposure_type

#: SOURCEIDs of fixed slits before pipeline version 1.12 (jwst documentation, "Source ID").
FIXED_SLIT_IDS = {"S200A1": 1, "S200A2": 2, "S400A1": 3, "S1600A1": 4, "S200B1": 5}
