"""Checkpoints that list the sources, by the folder of their results.

If another workflow uses one of the rules a second time, to change it, Snakemake reads this workflow
again, but does not register its checkpoint again. The valid checkpoint is the first.
"""

from typing import Any

#: Snakemake's object for the checkpoint, by the folder of results.
LISTINGS: dict[str, Any] = {}
