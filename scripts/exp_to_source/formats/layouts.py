"""SlitLayout of a slit in an index: what gathering needs of it."""

from __future__ import annotations

from .. import TYPE_CHECKING
from .cards import Plan
from .rows import decode_named_rows, encode_rows, get_all, get_one
from .template import SHARED_PLACEHOLDER, Replacement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

#: An HDU of a slit: its start in the exposure, the sizes of its header and its data, in bytes, and
#: the plan of its new header.
HduLayout = tuple[int, int, int, Plan]

#: Place of the YAML of a slit: whether it is in the index, not in the exposure; start and size, in
#: bytes.
TextSpan = tuple[bool, int, int]

#: A step of a plan, or an edit: they have the same types.
Step = tuple[int, int, str]


class SlitLayout:
    """Properties of a slit that gathering needs.

    Attributes
    ----------
    planes : list of HduLayout
        Its HDUs, in the order of the schema.
    casts : dict of (int, int, int, int, int)
        By place among these: size in bytes without padding, and the `Cast`.
    text : TextSpan
        Its part of the exposure's tree.
    edits : list of Replacement
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
        planes: list[HduLayout],
        casts: dict[int, tuple[int, ...]],
        text: TextSpan,
        edits: list[Replacement],
        blocks: list[tuple[int, int]],
        own: list[str],
        asn: dict[str, str] | None,
        type: str | None,
    ) -> None:
        self.planes = planes
        self.casts = casts
        self.text = text
        self.edits = edits
        self.blocks = blocks
        self.own = own
        self.asn = asn
        self.type = type

    @classmethod
    def decode(cls, data: bytes, shared: Sequence[str]) -> SlitLayout:
        """SlitLayout from rows of an index, and the texts that its records share."""
        rows = decode_named_rows(data)
        ((in_index, text_start, text_size),) = rows["text"]
        (edits,), (own,) = rows["edits"], rows["own"]
        (asn,) = rows.get("asn", [None])
        return cls(
            [
                (int(start), int(header), int(size), _steps(plan, shared))
                for start, header, size, *plan in get_all(rows, "plane")
            ],
            {int(place): tuple(map(int, cast)) for place, *cast in get_all(rows, "cast")},
            (in_index == "1", int(text_start), int(text_size)),
            _steps(edits, shared),
            [(int(start), int(size)) for start, size in get_all(rows, "block")],
            own,
            None if asn is None else dict(zip(asn[::2], asn[1::2], strict=True)),
            get_one(rows, "type") if "type" in rows else None,
        )

    def encode(self, shared: Mapping[str, int]) -> bytes:
        """Rows of an index, in which marks with a number stand for shared texts."""
        in_index, start, size = self.text
        return encode_rows(
            [
                *(
                    ("plane", *map(str, sizes), *_step_fields(plan, shared))
                    for *sizes, plan in self.planes
                ),
                *(("cast", *map(str, (place, *cast))) for place, cast in self.casts.items()),
                ("text", str(int(in_index)), str(start), str(size)),
                ("edits", *_step_fields(self.edits, shared)),
                *(("block", str(start), str(size)) for start, size in self.blocks),
            ]
        ) + encode_metadata(self.own, self.asn, self.type)

    def texts(self) -> Iterator[str]:
        """Texts that records may share."""
        for steps in (*(plan for *_, plan in self.planes), self.edits):
            yield from (text for *_, text in steps)


def encode_metadata(own: list[str], asn: dict[str, str] | None, type: str | None) -> bytes:
    """Rows of those attributes of a record that change the metadata of its entry."""
    rows = [("own", *own)]
    if asn is not None:
        rows.append(("asn", *(part for item in asn.items() for part in item)))
    if type is not None:
        rows.append(("type", type))
    return encode_rows(rows)


def _step_fields(steps: Iterable[Step], shared: Mapping[str, int]) -> Iterator[str]:
    """Fields of steps, with marks for shared texts."""
    for place, length, text in steps:
        yield str(place)
        yield str(length)
        yield f"{SHARED_PLACEHOLDER}{shared[text]}" if text in shared else text


def _steps(fields: list[str], shared: Sequence[str]) -> list[Step]:
    """Return the steps that have these fields."""
    texts = (
        shared[int(text[1:])] if text.startswith(SHARED_PLACEHOLDER) else text
        for text in fields[2::3]
    )
    return list(zip(map(int, fields[::3]), map(int, fields[1::3]), texts, strict=True))
