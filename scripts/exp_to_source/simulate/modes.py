"""Observing modes of simulated exposures."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .. import modes

#: Modes and metadata, with "$name" for what depends on the exposure.
METADATA = yaml.safe_load((Path(__file__).parent / "metadata.yaml").read_text(encoding="utf-8"))


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

    @property
    def is_grism(self) -> bool:
        """Whether a grism disperses the whole field."""
        return modes.is_grism(self.exposure_type)


MODES = {
    name: SimulatedMode(**mode._asdict(), **METADATA["modes"][name])
    for name, mode in modes.MODES.items()
}
