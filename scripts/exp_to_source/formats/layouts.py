"""Layout of a slit in an index: where its bytes are in the exposure, and how they change."""

from __future__ import annotations

from .. import TYPE_CHECKING
from .cards import Plan
from .rows import decode_named_rows, encode_rows
from .template import SHARED_PLACEHOLDER, Replacement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

#: An HDU of a slit: its start in the exposure, the sizes of its header and its data, in bytes, and
#: the plan of its new header.
HduLayout = tuple[int, int, int, Plan]

#: Where the YAML of a slit is: whether in the index, not in the exposure; start and size in bytes.
TextSpan = tuple[bool, int, int]

#: A step of a plan, or a replacement: they have the same types.
Step = tuple[int, int, str]


class SlitLayout:
    """Properties of a slit that gathering needs."""

    # A plain class, as no gather imports typing or dataclasses.
    def __init__(
        self,
        hdus: list[HduLayout],  #: in the order of the schema
        casts: dict[int, tuple[int, ...]],  #: by number of the HDU: data's size, and the `Cast`
        text: TextSpan,  #: its part of the exposure's tree
        replacements: list[Replacement],  #: those that make a template of that text
        blocks: list[tuple[int, int]],  #: start and size of its internal blocks, in bytes
        overrides: list[str],  #: keys of metadata that it has instead of the exposure's
        asn: dict[str, str] | None,  #: metadata about its association, as YAML
        type: str | None,  #: its exposure type, if the slit has its own
    ) -> None:
        self.hdus = hdus
        self.casts = casts
        self.text = text
        self.replacements = replacements
        self.blocks = blocks
        self.overrides = overrides
        self.asn = asn
        self.type = type

    @classmethod
    def decode(cls, data: bytes, shared: Sequence[str]) -> SlitLayout:
        """Decode rows of an index, with the texts that its layouts share."""
        rows = decode_named_rows(data)
        ((in_index, text_start, text_size),) = rows["text"]
        (replacements,), (overrides,) = rows["replacements"], rows["overrides"]
        (asn,) = rows.get("asn", [None])
        return cls(
            [
                (int(start), int(header), int(size), _decode_steps(plan, shared))
                for start, header, size, *plan in rows["hdu"]
            ],
            {int(hdu): tuple(map(int, cast)) for hdu, *cast in rows["cast"]},
            (in_index == "1", int(text_start), int(text_size)),
            _decode_steps(replacements, shared),
            [(int(start), int(size)) for start, size in rows["block"]],
            overrides,
            None if asn is None else dict(zip(asn[::2], asn[1::2], strict=True)),
            rows.one("type") if "type" in rows else None,
        )

    def encode(self, shared: Mapping[str, int]) -> bytes:
        """Encode as rows of an index, in which placeholders stand for shared texts."""
        in_index, start, size = self.text
        rows = [
            *(("hdu", *map(str, size), *_encode_steps(plan, shared)) for *size, plan in self.hdus),
            *(("cast", *map(str, (hdu, *cast))) for hdu, cast in self.casts.items()),
            ("text", str(int(in_index)), str(start), str(size)),
            ("replacements", *_encode_steps(self.replacements, shared)),
            *(("block", str(start), str(size)) for start, size in self.blocks),
        ]
        return encode_rows(rows) + encode_metadata(self.overrides, self.asn, self.type)

    def texts(self) -> Iterator[str]:
        """Yield the texts that layouts may share."""
        for steps in (*(plan for *_, plan in self.hdus), self.replacements):
            yield from (text for *_, text in steps)


def encode_metadata(overrides: list[str], asn: dict[str, str] | None, type: str | None) -> bytes:
    """Encode those attributes of a layout that change the metadata of its entry."""
    rows = [("overrides", *overrides)]
    if asn is not None:
        rows.append(("asn", *(part for item in asn.items() for part in item)))
    if type is not None:
        rows.append(("type", type))
    return encode_rows(rows)


def _encode_steps(steps: Iterable[Step], shared: Mapping[str, int]) -> Iterator[str]:
    for start, length, text in steps:
        yield str(start)
        yield str(length)
        yield f"{SHARED_PLACEHOLDER}{shared[text]}" if text in shared else text


def _decode_steps(fields: list[str], shared: Sequence[str]) -> list[Step]:
    mark = SHARED_PLACEHOLDER
    texts = (shared[int(text[1:])] if text.startswith(mark) else text for text in fields[2::3])
    return list(zip(map(int, fields[::3]), map(int, fields[1::3]), texts, strict=True))
