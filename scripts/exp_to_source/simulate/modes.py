"""Observing modes for simulated products."""

from dataclasses import dataclass

from .. import modes
from .planes import GRISM_PLANES, SHUTTER_PLANES, SLIT_PLANES
from .wcs import GrismOptics, NirspecOptics, Optics

NIRSPEC_STEPS = "assign_wcs msa_flagging extract_2d srctype wavecorr flat_field pathloss barshadow"
GRISM_STEPS = "assign_wcs flat_field bkg_subtract extract_2d srctype wfss_contam"
NIRSPEC_FILES = (
    "barshadow camera collimator dflat disperser fflat fore fpa msa ote pathloss photom sflat "
    "wavecorr wavelengthrange"
)
GRISM_FILES = "bkg distortion filteroffset flat photom specwcs wavelengthrange"


@dataclass(frozen=True, kw_only=True)
class Mode:
    """What distinguishes an observing mode.

    Attributes
    ----------
    exposure_type, instrument, template, readpatt, aperture : str
        As in the keywords EXP_TYPE, INSTRUME, TEMPLATE, READPATT and APERNAME.
    elements : dict
        Instrument attributes of the optical elements, with their values.
    detector : str
        Detector, as in a file name.
    waverange : tuple of float
        Wavelength limits, in microns.
    optics : type
        Builds the world coordinates.
    planes : tuple of str
        Attributes of a slit that hold its planes.
    steps, files : str
        Steps of stage 2, and reference files used, as attribute names.
    subarray : str
        Name of the subarray.
    first_id : int
        Identifier of the first source.
    """

    exposure_type: str
    instrument: str
    template: str
    readpatt: str
    aperture: str
    elements: dict[str, str]
    detector: str
    waverange: tuple[float, float]
    optics: type[Optics] = GrismOptics
    planes: tuple[str, ...] = GRISM_PLANES
    steps: str = GRISM_STEPS
    files: str = GRISM_FILES
    subarray: str = "FULL"
    first_id: int = 1


MODES = {
    "mos": Mode(
        **modes.MODES["mos"]._asdict(),
        template="NIRSpec MultiObject Spectroscopy",
        readpatt="NRSIRS2",
        aperture="NRS_FULL_MSA",
        elements={"filter": "F170LP", "grating": "G235M"},
        detector="nrs1",
        waverange=(1.66, 3.17),
        optics=NirspecOptics,
        planes=SHUTTER_PLANES,
        steps=NIRSPEC_STEPS,
        files=NIRSPEC_FILES,
        first_id=59,
    ),
    "fixed-slit": Mode(
        **modes.MODES["fixed-slit"]._asdict(),
        template="NIRSpec Fixed Slit Spectroscopy",
        readpatt="NRSRAPID",
        aperture="NRS_S200A1_SLIT",
        elements={"filter": "F290LP", "grating": "G395H"},
        detector="nrs1",
        waverange=(2.87, 5.27),
        optics=NirspecOptics,
        planes=SLIT_PLANES,
        steps=NIRSPEC_STEPS,
        files=NIRSPEC_FILES,
        subarray="ALLSLITS",
    ),
    "nircam-wfss": Mode(
        **modes.MODES["nircam-wfss"]._asdict(),
        template="NIRCam Wide Field Slitless Spectroscopy",
        readpatt="SHALLOW4",
        aperture="NRCA5_GRISMR_WFSS",
        elements={"filter": "F356W", "pupil": "GRISMR", "module": "A", "channel": "LONG"},
        detector="nrcalong",
        waverange=(3.1, 4.0),
    ),
    "niriss-wfss": Mode(
        **modes.MODES["niriss-wfss"]._asdict(),
        template="NIRISS Wide Field Slitless Spectroscopy",
        readpatt="NIS",
        aperture="NIS_CEN",
        elements={"filter": "GR150C", "pupil": "F140M"},
        detector="nis",
        waverange=(1.32, 1.49),
    ),
    "miri-wfss": Mode(
        **modes.MODES["miri-wfss"]._asdict(),
        template="MIRI Wide Field Slitless Spectroscopy",
        readpatt="FASTR1",
        aperture="MIRIM_FULL",
        elements={"filter": "P750L"},
        detector="mirimage",
        waverange=(5.0, 14.0),
    ),
}
