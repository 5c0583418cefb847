"""Writing the index of an exposure, or why it has none; `indices` tells what is in it."""

from collections.abc import Iterable

from .. import FORMAT
from ..files import replacing, write_all
from .heads import Head
from .indices import place_line
from .record import Record, shorten
from .seals import Content, line, seal, sealed

#: Minimum length of a text that is stored once for several records.
MIN_SHARED = 40


def write_index(
    path: str,
    exposure: Content,
    common: bytes,
    top: bytes,
    tags: bytes,
    slits: Iterable[tuple[Head, Record]],
    text: str,
) -> None:
    """Write the index of an exposure.

    Parameters
    ----------
    path : str
        File to write.
    exposure : dict
        Content of the first line, without the offsets.
    common, top, tags : bytes
        The parts with these names, one line each.
    slits : iterable of (Head, Record)
        What the source list needs of each slit, and its record.
    text : str
        YAML document to keep, or empty.
    """
    slits = list(slits)
    texts = shared_texts(record for _, record in slits)
    heads, records, places = [], [], []
    place = 0
    for head, record in slits:
        heads.append(line(head))
        records.append(record.with_texts(lambda text: shorten(text, texts)).as_line())
        places.append(place_line(head.digest, place, records[-1]))
        place += len(records[-1])
    parts = {
        "heads": b"".join(heads),
        "places": b"".join(sorted(places)),
        "common": common,
        "top": top,
        "tags": tags,
        "shared": line(list(texts)),
        "records": b"".join(records),
        "text": text.encode(),
    }
    place = 0
    first = dict(exposure)
    for name, part in parts.items():
        first[name] = [place, len(part), seal(part)]
        place += len(part)
    with replacing(path) as file:
        for part in (sealed(first), *parts.values()):
            write_all(file, part)


def shared_texts(records: Iterable[Record]) -> dict[str, int]:
    """Find long texts that occur in several records, such as the texts for aliases of one anchor.

    Returns
    -------
    dict
        Text to number, from 0.
    """
    seen: dict[str, bool] = {}

    def note(text: str) -> str:
        if len(text) >= MIN_SHARED:
            seen[text] = text in seen
        return text

    for record in records:
        record.with_texts(note)
    return {text: n for n, text in enumerate(text for text, again in seen.items() if again)}


def write_failure(
    path: str, exposure: str, exposure_path: str, reason: str, before: dict[str, int]
) -> None:
    """Write, instead of an index, the reason why an exposure has none.

    Parameters
    ----------
    path : str
        File to write.
    exposure, exposure_path : str
        Name and file of the exposure.
    reason : str
        What is wrong, in a sentence.
    before : dict
        Stamp of the exposure before it was read; empty if there was no file.
    """
    about = {"format": FORMAT, "exposure": exposure, "path": exposure_path, "failure": reason}
    with replacing(path) as file:
        write_all(file, sealed(about | before | {"heads": [0, 0, seal(b"")]}))
