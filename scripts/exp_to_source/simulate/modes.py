"""What to simulate: a simulation, and its observing mode."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .. import modes

#: Modes and metadata, with "$name" for what depends on the exposure.
METADATA = yaml.safe_load((Path(__file__).parent / "metadata.yaml").read_text(encoding="utf-8"))

#: Pixels of the smallest cut-out across and along the dispersion.
SHAPE = (30, 400)

#: Grisms and prisms of wide fields that disperse along columns.
COLUMN_GRISMS = {"GR150R", "GRISMC", "P750L"}


@dataclass(frozen=True, kw_only=True)
class SimulatedMode:
    """What distinguishes an observing mode."""

    exposure_type: str
    instrument: str
    template: str
    readpatt: str
    aperture: str
    #: Optical elements by attribute of ``meta.instrument``.
    elements: dict[str, str]
    #: State of wheels and shutters, by attribute of ``meta.instrument``.
    mechanisms: dict[str, object] = field(default_factory=dict)
    detector: str  #: as in a file name
    waverange: tuple[float, float]  #: in microns
    images: list[str]  #: attributes of a slit that are images
    #: Steps of stage 2 but photom, and their reference files, as attribute names.
    steps: list[str]
    files: list[str]
    subarray: str = "FULL"
    first_id: int = 1  #: SOURCEID of the first source
    #: Rows of a slit, or of a cut-out, and columns of a spectrum in flight.
    size: tuple[int, int]

    @property
    def along_columns(self) -> bool:
        """Whether it disperses along columns (DISPAXIS 2), as ``jwst.lib.dispaxis`` has it."""
        return not COLUMN_GRISMS.isdisjoint(self.elements.values())

    @property
    def is_grism(self) -> bool:
        """Whether a grism disperses the whole field."""
        return modes.is_grism(self.exposure_type)


MODES = {
    name: SimulatedMode(
        exposure_type=mode.exposure_type, instrument=mode.instrument, **METADATA["modes"][name]
    )
    for name, mode in modes.MODES.items()
}

FIXED_SLITS = tuple(modes.FIXED_SLIT_IDS)


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What to simulate."""

    mode: str = "mos"  #: a key of `MODES`
    exposures: int = 3  #: each is one file a detector
    sources: int = 5  #: number (MOS, WFSS)
    source_ids: tuple[int, ...] = ()  #: identifiers of the sources, instead of their number
    program: int = 10006
    observation: int = 10
    #: Optical elements other than the mode's, for example ``{"filter": "F100LP"}``.
    elements: Mapping[str, str] = field(default_factory=dict)
    subarray: str | None = None  #: if not the mode's
    detectors: tuple[str, ...] = ()  #: if not the mode's, for example ``("nrs1", "nrs2")``
    overlap: str = "full"  #: all slits in all exposures, or ``partial``: only the middle one
    background: int = 0  #: background slitlets (MOS)
    virtual: int = 0  #: virtual slitlets (MOS)
    #: Observed (by default all), or opened in a MOS exposure (by default none).
    fixed_slits: tuple[str, ...] = ()
    primary_slit: str = FIXED_SLITS[0]  #: the fixed slit that has the target
    orders: tuple[int, ...] = (1,)  #: spectral orders of each source (WFSS)
    #: Images left out: attribute name, and number of the slit in its exposure, from one.
    absent: tuple[tuple[str, int], ...] = ()
    #: Pixels of the smallest cut-out across and along the dispersion, if not `SHAPE` or, if it is
    #: realistic, the mode's.
    shape: tuple[int, int] | None = None
    version: str = "1.14.0"  #: of the calibration software
    seed: int = 0  #: of the pixel values
    association: bool = False  #: whether to write a level-3 association of the exposures, too
    #: Whether all slits of an exposure share the steps of their WCS but the first, as pipelines
    #: after 3.0.0 write them (WFSS).
    shared_wcs: bool = False
    #: Whether the images look like those of flight: traces tilt and bend, slits have edges.
    realistic: bool = False

    @property
    def pipeline(self) -> tuple[int, ...]:
        """Return the first two numbers of the calibration version."""
        return tuple(int(part) for part in self.version.split(".")[:2])
