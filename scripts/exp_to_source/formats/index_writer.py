"""Writing the index of an exposure, or why it has none; `indices` tells what is in it."""

from collections.abc import Iterable, Mapping

from .. import FORMAT
from ..files import atomic_write, write_all
from .checksums import checksum, with_checksum
from .indices import offset_line
from .layouts import SlitLayout
from .rows import encode_column, encode_rows
from .summaries import SlitSummary, to_row

#: Minimum length of a text that is stored once for several records.
MIN_SHARED = 40


def write_index(
    path: str,
    about: Mapping[str, object],
    parts: Mapping[str, bytes],
    slits: Iterable[tuple[SlitSummary, SlitLayout]],
) -> None:
    """Write the index of an exposure.

    Parameters
    ----------
    path : str
        File to write.
    about : mapping
        The exposure: name and field of each of the first rows.
    parts : mapping
        Content of the parts ``common``, ``top``, ``tags``, ``remarks`` and ``text``; a reader needs
        those only that it asks for.
    slits : iterable of (SlitSummary, SlitLayout)
        What the source list needs of each slit, and its record.
    """
    slits = list(slits)
    shared = find_shared_texts(record for _, record in slits)
    records, places = [], []
    place = 0
    for head, record in slits:
        records.append(record.encode(shared))
        places.append(offset_line(head.digest, place, records[-1]))
        place += len(records[-1])
    all_parts = {
        "heads": encode_rows(to_row(head) for head, _ in slits),
        "places": b"".join(sorted(places)),
        "shared": encode_column(shared),
        "records": b"".join(records),
        **parts,
    }
    rows: list[tuple[str, ...]] = [("format", str(FORMAT))]
    rows += ((name, str(field)) for name, field in about.items())
    place = 0
    for name, part in all_parts.items():
        rows.append(("part", name, str(place), str(len(part)), checksum(part)))
        place += len(part)
    with atomic_write(path) as file:
        for part in (with_checksum(rows), *all_parts.values()):
            write_all(file, part)


def find_shared_texts(records: Iterable[SlitLayout]) -> dict[str, int]:
    """Find long texts that occur in several records, such as the texts for aliases of one anchor.

    Returns
    -------
    dict
        Text to number, from 0.
    """
    again: dict[str, bool] = {}
    for record in records:
        for text in record.texts():
            if len(text) >= MIN_SHARED:
                again[text] = text in again
    return {text: n for n, text in enumerate(text for text in again if again[text])}


def write_failure(
    path: str,
    exposure: str,
    exposure_path: str,
    reason: str,
    before: Mapping[str, int],
    other_kind: str = "",
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
    before : mapping
        Stamp of the exposure before it was read; empty if there was no file.
    other_kind : str
        What the file is, if it is not an exposure that can be regrouped.
    """
    about = {"exposure": exposure, "path": exposure_path, "failure": reason, **before}
    if other_kind:
        about["other_kind"] = other_kind
    write_index(path, about, {"tags": b"", "remarks": b""}, [])
