"""Who observed what, when and how, from the headers of the exposures."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from astropy.io import fits


class Observed(NamedTuple):
    """What the primary header of an exposure says; empty texts for what it does not.

    Attributes
    ----------
    program, target, instrument, elements, detector, nod : str
        Program with its title, target, and the instrument's setting; position of the dither.
    begin, end : str
        Dates (UTC).
    """

    program: str = ""
    target: str = ""
    instrument: str = ""
    elements: str = ""
    detector: str = ""
    nod: str = ""
    begin: str = ""
    end: str = ""


def read_observed(path: str) -> Observed:
    """Read the primary header of an exposure; nothing if it cannot be read any more."""
    try:
        header = fits.getheader(path)
    except (OSError, ValueError, fits.VerifyError):
        return Observed()

    def text(key: str) -> str:
        value = str(header.get(key, "")).strip()
        return "" if value in ("N/A", "NONE", "UNKNOWN") else value

    program = ": ".join(filter(None, (text("PROGRAM").lstrip("0"), text("TITLE"))))
    nod = f"{text('PATT_NUM')} of {text('NUMDTHPT')}" if text("NUMDTHPT") else text("PATT_NUM")
    return Observed(
        program=program,
        target=text("TARGPROP") or text("TARGNAME"),
        instrument=text("INSTRUME"),
        elements=" ".join(filter(None, map(text, ("FILTER", "GRATING", "PUPIL")))),
        detector=text("DETECTOR"),
        nod=nod,
        begin=text("DATE-BEG")[:16].replace("T", " "),
        end=text("DATE-END")[:16].replace("T", " "),
    )


def summary(observed: Sequence[Observed]) -> dict[str, str]:
    """Summarise all exposures for the head of the page, without what none of them says."""
    begin = min((o.begin for o in observed if o.begin), default="")
    end = max((o.end or o.begin for o in observed if o.begin), default="")
    lines = {
        "program": _listed(o.program for o in observed),
        "target": _listed(o.target for o in observed),
        "instrument": _listed(o.instrument for o in observed),
        "elements": _listed(o.elements for o in observed),
        "observed": f"{begin} to {end[11:] if end[:10] == begin[:10] else end} UTC"
        if begin
        else "",
    }
    return {name: line for name, line in lines.items() if line}


def _listed(values: Iterable[str], most: int = 4) -> str:
    found = list(dict.fromkeys(filter(None, values)))
    more = len(found) - most
    return ", ".join(found[:most]) + (f" and {more} more" if more > 0 else "")
