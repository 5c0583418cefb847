"""Look up slits in the user's table of joins.

The table is read, and its rows are matched, by the code that lists the sources.
"""

import os
from typing import Any

from ..modes import FIXED_SLIT, FIXED_SLIT_IDS
from ..sources.join_table import Joins, SlitKey


class JoinLookup:
    """A table of joins, searched by the metadata of slits.

    Parameters
    ----------
    joins : Joins
        The table.
    fixed_slit_ids : {"header", "table"}
        Origin of the ids of fixed slits.
    """

    def __init__(self, joins: Joins, fixed_slit_ids: str = "header") -> None:
        self.joins = joins
        self.uses_table = fixed_slit_ids == "table"

    def find_target(
        self, filename: Any, name: Any, source_id: Any, source_name: Any, exposure_type: Any
    ) -> tuple[Any, str] | None:
        """Find the target of the joins that a slit belongs to; None if it is not joined."""
        name, source_name = str(name or "").strip(), str(source_name or "").strip()
        if self.uses_table and exposure_type == FIXED_SLIT:
            source_id = FIXED_SLIT_IDS.get(name.upper(), source_id)
        exposure = os.path.basename(str(filename)).removesuffix(".fits")
        row = self.joins.find_row(SlitKey(exposure, name, source_id or 0, source_name))
        return row.key if row else None


#: No table.
NO_JOINS = JoinLookup(Joins())
