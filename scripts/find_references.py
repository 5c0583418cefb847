"""Check the parameters of the steps after regrouping, and fetch what they ask CRDS for."""

import argparse
from contextlib import nullcontext
from pathlib import Path

from exp_to_source.errors import exit_on_user_error
from exp_to_source.spec3.offline import without_crds
from exp_to_source.spec3.references import find_references
from exp_to_source.spec3.steps import is_offline, require_jwst


def main() -> None:
    """Read the command line, write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("request", type=Path, help='settings, as JSON: {"offline": ..., "steps": {...}, ...}')
    add("references", type=Path, help="what was found (<family>.json)")
    add("--table", type=Path, required=True, help="source list")
    add("--crds-path", help="cache of CRDS (its own default, or $CRDS_PATH)")
    add("--crds-server", help="server of CRDS ($CRDS_SERVER_URL, or that of the mission)")
    arguments = parser.parse_args()
    crds = {"path": arguments.crds_path, "server": arguments.crds_server}
    with exit_on_user_error("find_references"):
        require_jwst()
        with without_crds() if is_offline(arguments.request) else nullcontext():
            find_references(arguments.request, arguments.references, arguments.table, crds)


if __name__ == "__main__":
    main()
