"""Checkpoints that list the sources, by the folder of their results.

Where another workflow uses one of the rules a second time, to change it, Snakemake reads this one
again, and knows of no checkpoint in what it reads then: it is the one that was read before.
"""

from typing import Any

#: The object that Snakemake has for the checkpoint, by the folder of results.
LISTINGS: dict[str, Any] = {}
