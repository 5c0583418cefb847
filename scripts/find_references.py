"""Check the parameters of the steps after regrouping, and fetch what they ask CRDS for."""

import argparse
import json
from contextlib import nullcontext
from pathlib import Path

from exp_to_source.errors import exit_on_user_error
from exp_to_source.spec3.offline import without_crds
from exp_to_source.spec3.references import find_references
from exp_to_source.spec3.steps import require_jwst


def main() -> None:
    """Read the command line, look up references."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("request", type=Path, help='settings, as JSON: {"offline": ..., "steps": {...}, ...}')
    add("references", type=Path, help="file to write (<family>.json)")
    add("--table", type=Path, required=True, help="source list")
    add("--crds-path", help="cache of CRDS (its own default, or $CRDS_PATH)")
    add("--crds-server", help="server of CRDS ($CRDS_SERVER_URL, or that of the mission)")
    arguments = parser.parse_args()
    with exit_on_user_error("find_references"):
        require_jwst()
        request = json.loads(arguments.request.read_text(encoding="utf-8"))
        crds = {"path": arguments.crds_path, "server": arguments.crds_server}
        with without_crds() if request["offline"] else nullcontext():
            find_references(
                arguments.references,
                arguments.table,
                offline=request["offline"],
                steps=request["steps"],
                parameters_file=Path(request["file"]) if request["file"] else None,
                background=request["background"],
                crds=crds | {"context": request["context"]},
            )


if __name__ == "__main__":
    main()
