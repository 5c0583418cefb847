"""Record of a slit in an index: what gathering needs of it."""

from __future__ import annotations

from .. import TYPE_CHECKING
from .cards import Plan
from .fragments import SHARED_MARK, Edit
from .rows import only, read_named_rows, rows_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

#: An HDU of a slit: its start in the exposure, the sizes of its header and its data, in bytes, and
#: the plan of its new header.
PlanePlan = tuple[int, int, int, Plan]

#: Place of the YAML of a slit: whether it is in the index, not in the exposure; start and size, in
#: bytes.
TextPlace = tuple[bool, int, int]


class Record:
    """Properties of a slit that gathering needs.

    Attributes
    ----------
    planes : list of PlanePlan
        Its HDUs, in the order of the schema.
    text : TextPlace
        Its part of the exposure's tree.
    edits : list of Edit
        Edits that make a fragment of that text.
    blocks : list of (int, int)
        Start and size of its internal blocks, in bytes.
    own : list of str
        Keys of metadata that are the slit's own, not the exposure's.
    asn : dict or None
        Metadata about its association, as YAML.
    type : str or None
        Its exposure type, if the slit has its own.
    """

    # A plain class, as no gather imports typing or dataclasses.
    def __init__(
        self,
        planes: list[PlanePlan],
        text: TextPlace,
        edits: list[Edit],
        blocks: list[tuple[int, int]],
        own: list[str],
        asn: dict[str, str] | None,
        type: str | None,
    ) -> None:
        self.planes = planes
        self.text = text
        self.edits = edits
        self.blocks = blocks
        self.own = own
        self.asn = asn
        self.type = type

    @classmethod
    def of_text(cls, text: bytes, shared: Sequence[str]) -> Record:
        """Record from an index, and the texts that its records share."""
        rows = read_named_rows(text)
        ((in_index, start, size),) = rows["text"]
        (edits,), (own,), (asn,) = rows["edits"], rows["own"], rows.get("asn", [[]])
        return cls(
            [
                (int(start), int(header), int(data), _changes(plan, shared))
                for start, header, data, *plan in rows["plane"]
            ],
            (in_index == "1", int(start), int(size)),
            _changes(edits, shared),
            [(int(start), int(size)) for start, size in rows.get("block", [])],
            own,
            dict(zip(asn[::2], asn[1::2], strict=True)) if "asn" in rows else None,
            only(rows, "type") or None,
        )

    def as_text(self, shared: Mapping[str, int]) -> bytes:
        """Rows of an index, in which marks with a number stand for shared texts."""
        in_index, start, size = self.text
        return rows_text(
            [
                *(
                    ("plane", *map(str, sizes), *_fields(plan, shared))
                    for *sizes, plan in self.planes
                ),
                ("text", str(int(in_index)), str(start), str(size)),
                ("edits", *_fields(self.edits, shared)),
                *(("block", str(start), str(size)) for start, size in self.blocks),
            ]
        ) + metadata_text(self.own, self.asn, self.type)

    def texts(self) -> Iterator[str]:
        """Texts that records may share."""
        for changes in (*(plane[-1] for plane in self.planes), self.edits):
            yield from (text for *_, text in changes)


def metadata_text(own: list[str], asn: dict[str, str] | None, type: str | None) -> bytes:
    """Rows of those attributes of a record that change the metadata of its entry."""
    rows = [("own", *own)]
    if asn is not None:
        rows.append(("asn", *(part for item in asn.items() for part in item)))
    if type is not None:
        rows.append(("type", type))
    return rows_text(rows)


def _fields(changes: Iterable[Edit], shared: Mapping[str, int]) -> Iterator[str]:
    """Fields of a plan or of edits."""
    for place, length, text in changes:
        yield from (
            str(place),
            str(length),
            f"{SHARED_MARK}{shared[text]}" if text in shared else text,
        )


def _changes(fields: list[str], shared: Sequence[str]) -> list[Edit]:
    """Plan or edits from their fields."""
    texts = (
        shared[int(text[1:])] if text.startswith(SHARED_MARK) else text for text in fields[2::3]
    )
    return list(zip(map(int, fields[::3]), map(int, fields[1::3]), texts, strict=True))
