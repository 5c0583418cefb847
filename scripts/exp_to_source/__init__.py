"""Regroup JWST Stage 2 exposure-based "cal" products into source-based ones.

The library behind the workflow. It handles FITS, ASDF, keywords and names, and does not depend on
Snakemake; only `run` starts it.
"""

from __future__ import annotations

__version__ = "0.1.0"

#: True for type checkers, which know the name. Defined here, as importing it from `typing` takes a
#: tenth of a gather; the same holds for what it guards.
TYPE_CHECKING = False

#: Version of the content of indices and manifests, and of the products made from them. Raised
#: whenever one of the three changes, so that everything is made again.
FORMAT = 9

if TYPE_CHECKING:
    from typing import Any

    from .workflow.run import run as run


def __getattr__(name: str) -> Any:
    """Import `run` when it is used: what it needs takes longer than a gather."""
    if name == "run":
        from .workflow.run import run

        return run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
