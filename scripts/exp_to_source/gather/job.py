"""The job that writes a product, whose failure may only be recorded."""

from __future__ import annotations

import os
import sys

from ..errors import exit_on_user_error
from ..results import INDICES
from .product import gather_source

PROGRAM = "exp-to-source gather"


def run(manifest: str, product: str, indices: str = "", record: str = "") -> None:
    """Write a product; a failure is recorded in the file `record`, if there is one, and succeeds.

    The folder of the indices is by default ``index`` beside the folder of the manifest.
    """
    if not indices:
        results = os.path.dirname(os.path.dirname(os.path.abspath(manifest)))
        indices = os.path.join(results, INDICES)
    try:
        with exit_on_user_error(PROGRAM):
            gather_source(manifest, product, indices)
    except SystemExit as failure:
        if not record:
            raise
        from ..failures import record_failure

        with exit_on_user_error(PROGRAM):
            record_failure(record, [product], str(failure))
        print(failure, file=sys.stderr)
