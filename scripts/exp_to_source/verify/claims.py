"""Which slits the user's table of joins claims, as verification sees them."""

import os
from collections.abc import Hashable
from typing import Any

from ..modes import FIXED_SLIT, FIXED_SLIT_IDS
from ..sources.join_table import Joins, Who


class Claims:
    """A table of joins, asked about slits by what their files say of them.

    Parameters
    ----------
    joins : Joins
        The table.
    fixed_slit_ids : {"header", "table"}
        Where ids of fixed slits are from.
    """

    def __init__(self, joins: Joins, fixed_slit_ids: str = "header") -> None:
        self.joins = joins
        self.tabled = fixed_slit_ids == "table"

    def target(
        self, filename: Any, name: Any, source_id: Any, source_name: Any, kind: Any
    ) -> Hashable | None:
        """Tell which product of a join a slit belongs to, None where that is none.

        Parameters
        ----------
        filename : str
            File name of the exposure.
        name, source_id, source_name, kind : str, int, str, str
            The slit's name, SOURCEID, SRCNAME and EXP_TYPE.
        """
        name, source_name = str(name or "").strip(), str(source_name or "").strip()
        if self.tabled and kind == FIXED_SLIT:
            source_id = FIXED_SLIT_IDS.get(name.upper(), source_id)
        exposure = os.path.basename(str(filename)).removesuffix(".fits")
        row = self.joins.row_of(Who(exposure, name, source_id or 0, source_name))
        return row.key if row else None

    def traits(self, target: Any) -> set[tuple[str, Any]]:
        """By what a source of the list may be told to be a target: its id or its name."""
        source, _ = target
        return {("name", source) if isinstance(source, str) else ("id", source[1])}


#: Of no table.
NO_CLAIMS = Claims(Joins())
