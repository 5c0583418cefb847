"""What the report shows of exposures, from their indices and primary headers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from astropy.io import fits

from ..errors import list_some
from ..formats.indices import IndexReader
from ..formats.summaries import read_summaries
from ..naming import optical_elements
from ..results import index_path


class ExposureSummary(NamedTuple):
    """An exposure in the report; texts are empty if its header does not have them."""

    name: str
    setting: str  #: detector, optical elements, program, observation, subarray
    version: str = "unknown"  #: of the pipeline that calibrated it (CAL_VER)
    slit_sizes: tuple[int, ...] = ()  #: bytes of the planes of each slit
    program: str = ""  #: with its title
    target: str = ""
    instrument: str = ""
    elements: str = ""
    detector: str = ""
    nod: str = ""  #: position of its dither, of how many
    time: str = ""  #: EFFEXPTM (s)
    begin: str = ""  #: UTC, as the end
    end: str = ""


def summarize_exposures(results: str, names: Iterable[str]) -> list[ExposureSummary]:
    """Summarize the exposures of a run from their indices, by setting, without skipped ones."""
    exposures = []
    for name in names:
        with IndexReader(index_path(results, name)) as index:
            metadata = index.exposure
            if "failure" not in metadata:
                exposures.append(
                    ExposureSummary(
                        metadata["exposure"],
                        name_setting(metadata),
                        metadata["version"] or "unknown",
                        tuple(slit.size for slit in read_summaries(index)),
                        **read_header(metadata["path"]),
                    )
                )
    return sorted(exposures, key=lambda exposure: exposure.setting)


def name_setting(metadata: Mapping[str, str]) -> str:
    """Name the setting of an exposure: exposures of one setting may have the same sources."""
    optics = optical_elements(*(metadata[key] for key in ("filter", "grating", "pupil")))
    detector = (metadata["detector"] or metadata["instrument"] or "?").lower()
    observation = f"{metadata['program'] or '?'}-o{metadata['observation'] or '?'}"
    subarray = metadata["subarray"].lower()
    words = [detector, optics, observation]
    return " ".join(words if subarray in ("", "full", "n/a", "none") else [*words, subarray])


def read_header(path: str) -> dict[str, str]:
    """Read the header part of an `ExposureSummary`, empty if the file cannot be read any more."""
    try:
        header = fits.getheader(path)
    except (OSError, ValueError, fits.VerifyError):
        return {}

    def text(key: str) -> str:
        value = str(header.get(key, "")).strip()
        return "" if value in ("N/A", "NONE", "UNKNOWN") else value

    return {
        "program": ": ".join(filter(None, (text("PROGRAM").lstrip("0"), text("TITLE")))),
        "target": text("TARGPROP") or text("TARGNAME"),
        "instrument": text("INSTRUME"),
        "elements": " ".join(filter(None, map(text, ("FILTER", "GRATING", "PUPIL")))),
        "detector": text("DETECTOR"),
        "nod": text("PATT_NUM") and " of ".join(filter(None, map(text, ("PATT_NUM", "NUMDTHPT")))),
        "time": text("EFFEXPTM"),
        "begin": text("DATE-BEG")[:16].replace("T", " "),
        "end": text("DATE-END")[:16].replace("T", " "),
    }


def summarize_observation(exposures: Sequence[ExposureSummary]) -> dict[str, str]:
    """Summarize all exposures for the head of the page, without what none of them has."""
    lines = {
        key: list_some(dict.fromkeys(filter(None, (getattr(e, key) for e in exposures))), limit=4)
        for key in ("program", "target", "instrument", "elements")
    }
    dated = [exposure for exposure in exposures if exposure.begin]
    if dated:
        begin = min(exposure.begin for exposure in dated)
        end = max(exposure.end or exposure.begin for exposure in dated)
        lines["observed"] = f"{begin} to {end[11:] if end[:10] == begin[:10] else end} UTC"
    return {name: line for name, line in lines.items() if line}
