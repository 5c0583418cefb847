"""Writing the index of an exposure; `indices` lists its parts."""

from collections.abc import Iterable, Mapping, Sequence

from .. import FORMAT
from ..files import atomic_write, write_all
from .indices import offset_line
from .layouts import SlitLayout
from .rows import checksum, encode_column, encode_rows, with_checksum
from .summaries import SlitSummary

#: Minimum length of a text that is stored once for several layouts.
MIN_SHARED = 40


def write_index(
    path: str,
    about: Mapping[str, object],
    parts: Mapping[str, bytes],
    slits: Sequence[tuple[SlitSummary, SlitLayout]],
) -> None:
    """Write the index of an exposure.

    `about` are the first rows: the exposure. `parts` are those that are not about single slits:
    ``tags`` and ``diagnostics`` are empty by default, others need not exist if nobody reads them.
    """
    shared = find_shared_texts(layout for _, layout in slits)
    layouts, lines = [], []
    offset = 0
    for summary, layout in slits:
        layouts.append(layout.encode(shared))
        lines.append(offset_line(summary.digest, offset, layouts[-1]))
        offset += len(layouts[-1])
    all_parts = {
        "summaries": encode_rows(summary.to_row() for summary, _ in slits),
        "offsets": b"".join(sorted(lines)),
        "shared": encode_column(shared),
        "layouts": b"".join(layouts),
        "tags": b"",
        "diagnostics": b"",
        **parts,
    }
    rows: list[tuple[str, ...]] = [("format", str(FORMAT))]
    rows += ((name, str(field)) for name, field in about.items())
    offset = 0
    for name, part in all_parts.items():
        rows.append(("part", name, str(offset), str(len(part)), checksum(part)))
        offset += len(part)
    with atomic_write(path) as file:
        for part in (with_checksum(rows), *all_parts.values()):
            write_all(file, part)


def find_shared_texts(layouts: Iterable[SlitLayout]) -> dict[str, int]:
    """Find long texts of several layouts, such as those for aliases of one anchor; number them."""
    repeated: dict[str, bool] = {}
    for layout in layouts:
        for text in layout.texts():
            if len(text) >= MIN_SHARED:
                repeated[text] = text in repeated
    return {text: n for n, text in enumerate(text for text in repeated if repeated[text])}
