"""Record of a slit in an index: what gathering needs of it."""

import json
from collections.abc import Callable, Mapping, Sequence

from .cards import Plan
from .fragments import SHARED_MARK, Edit
from .seals import line

#: An HDU of a slit, as in JSON: its start in the exposure, the sizes of its header and its data, in
#: bytes, and the plan of its new header.
PlanePlan = tuple[int, int, int, Plan]

#: Place of the YAML of a slit, as in JSON: whether it is in the index, not in the exposure; start
#: and size, in bytes.
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
    def of_line(cls, data: bytes) -> "Record":
        """Record from a line of an index."""
        return cls(*json.loads(data))

    def as_line(self) -> bytes:
        """Line of an index."""
        return line(
            [self.planes, self.text, self.edits, self.blocks, self.own, self.asn, self.type]
        )

    def with_texts(self, change: Callable[[str], str]) -> "Record":
        """Copy of the record, with a function applied to each text that may be shared."""

        def changed(plan: Plan) -> Plan:
            return [change(item) if isinstance(item, str) else item for item in plan]

        planes = [(start, header, data, changed(plan)) for start, header, data, plan in self.planes]
        edits = [(place, length, change(text)) for place, length, text in self.edits]
        return Record(planes, self.text, edits, self.blocks, self.own, self.asn, self.type)


def shorten(text: str, shared: Mapping[str, int]) -> str:
    """Replace a shared text by a mark with its number."""
    return f"{SHARED_MARK}{shared[text]}" if text in shared else text


def lengthen(text: str, shared: Sequence[str]) -> str:
    """Return the text that a mark stands for."""
    return shared[int(text[1:])] if text.startswith(SHARED_MARK) else text
