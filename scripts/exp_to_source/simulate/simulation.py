"""What to simulate."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..modes import FIXED_SLIT_IDS

FIXED_SLITS = tuple(FIXED_SLIT_IDS)


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What to simulate.

    Attributes
    ----------
    mode : str
        A key of `MODES`.
    exposures : int
        Number of exposures; each is one file a detector.
    sources : int
        Number of sources (MOS, WFSS).
    source_ids : tuple of int
        Identifiers of the sources, instead of their number.
    program, observation : int
        Numbers of the program and of the observation in it.
    elements : mapping of str to str
        Optical elements other than the mode's, for example ``{"filter": "F100LP"}``.
    subarray : str
        Subarray, if not the mode's.
    detectors : tuple of str
        Detectors, if not the mode's, for example ``("nrs1", "nrs2")``.
    overlap : {"full", "partial"}
        All slits in all exposures, or only the middle one.
    background, virtual : int
        Number of background and of virtual slitlets (MOS).
    fixed_slits : tuple of str
        Fixed slits observed (by default all), or opened in a MOS exposure (by default none).
    primary_slit : str
        The fixed slit that has the target.
    orders : tuple of int
        Spectral orders of each source (WFSS).
    absent : tuple of (str, int)
        Images left out: attribute name, and number of the slit in its exposure, from one.
    shape : tuple of int
        Rows and columns of the smallest cut-out, in pixels.
    version : str
        Version of the calibration software.
    seed : int
        Seed of the pixel values.
    association : bool
        Whether to write a level-3 association of the exposures, too.
    shared_wcs : bool
        Whether all slits of an exposure share the steps of their WCS but the first, as pipelines
        after 3.0.0 write them (WFSS).
    """

    mode: str = "mos"
    exposures: int = 3
    sources: int = 5
    source_ids: tuple[int, ...] = ()
    program: int = 10006
    observation: int = 10
    elements: Mapping[str, str] = field(default_factory=dict)
    subarray: str | None = None
    detectors: tuple[str, ...] = ()
    overlap: str = "full"
    background: int = 0
    virtual: int = 0
    fixed_slits: tuple[str, ...] = ()
    primary_slit: str = FIXED_SLITS[0]
    orders: tuple[int, ...] = (1,)
    absent: tuple[tuple[str, int], ...] = ()
    shape: tuple[int, int] = (30, 400)
    version: str = "1.14.0"
    seed: int = 0
    association: bool = False
    shared_wcs: bool = False

    @property
    def pipeline(self) -> tuple[int, ...]:
        """Return the first two numbers of the calibration version."""
        return tuple(int(part) for part in self.version.split(".")[:2])
