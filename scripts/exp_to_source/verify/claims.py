"""Slits that the user's table of joins claims, for verification."""

import os
from collections.abc import Hashable
from typing import Any

from ..modes import FIXED_SLIT, FIXED_SLIT_IDS
from ..sources.join_table import Joins, SlitKey


class Claims:
    """A table of joins, queried with the metadata of slits.

    Parameters
    ----------
    joins : Joins
        The table.
    fixed_slit_ids : {"header", "table"}
        Origin of the ids of fixed slits.
    """

    def __init__(self, joins: Joins, fixed_slit_ids: str = "header") -> None:
        self.joins = joins
        self.tabled = fixed_slit_ids == "table"

    def target(
        self, filename: Any, name: Any, source_id: Any, source_name: Any, kind: Any
    ) -> Hashable | None:
        """Return the key of the joined product that a slit belongs to, or None.

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
        row = self.joins.find_row(SlitKey(exposure, name, source_id or 0, source_name))
        return row.key if row else None

    def traits(self, target: Any) -> set[tuple[str, Any]]:
        """Keys that identify a source of the list as a target: its id and its name."""
        source, _ = target
        return {("name", source) if isinstance(source, str) else ("id", source[1])}


#: Claims without a table.
NO_CLAIMS = Claims(Joins())
