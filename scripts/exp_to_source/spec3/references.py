"""Reference files and parameters from CRDS: looked up once, before any source.

Jobs then run on what was found: with its context, on a cache that they only read, without network.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import atomic_write, write_all
from ..formats.indices import IndexReader
from ..formats.manifests import read_manifest
from ..results import index_path, manifest_path
from ..tables import read_sources
from .offline import SERVERLESS

#: Settings of CRDS, and the environment variables that they stand for.
SETTINGS = {"path": "CRDS_PATH", "server": "CRDS_SERVER_URL", "context": "CRDS_CONTEXT"}

#: The server, unless settings or environment name another (jwst documentation, "CRDS").
SERVER = "https://jwst-crds.stsci.edu"

OBSERVATORY = "jwst"


def find_references(
    request: Path, output: Path, table: Path, crds: Mapping[str, str | None]
) -> None:
    """Check the parameters of a request, and look up and fetch what its steps ask CRDS for.

    Parameters
    ----------
    request : Path
        JSON of the settings: ``offline``, ``steps``, ``file`` of parameters, ``context``, and
        ``background``, the associations with members whose background is to be subtracted.
    output : Path
        JSON of these, with ``crds`` (``path``, ``context``), ``references`` (type to paths) and
        ``parameters`` (step to merged parameters). It is named after the family of the products.
    table : Path
        The source list.
    crds : mapping
        ``path`` of the cache and ``server``; None takes those of the environment.

    Raises
    ------
    InputError
        If a parameter is wrong, the installed pipeline makes no spectra of such exposures, CRDS
        cannot be reached, or a file is missing.
    """
    found: dict[str, Any] = json.loads(request.read_text(encoding="utf-8"))
    if not found["offline"]:
        os.environ.setdefault("CRDS_SERVER_URL", SERVER)
        for key, value in {**crds, "context": found["context"]}.items():
            if value:
                os.environ[SETTINGS[key]] = value
    # jwst reads the environment when it is imported.
    from .parameters import check_parameters, merged, read_parameters
    from .pipeline import is_uncalibrated

    if found["file"]:
        found["steps"] = merged(read_parameters(Path(found["file"])), found["steps"])
    check_parameters(found["steps"])
    exposures = exposures_of(output.name.removesuffix(".json"), table)
    for exposure in exposures:
        if not exposure["stated_type"]:
            raise InputError(
                f"{exposure['path']}: has no EXP_TYPE, which the steps of the pipeline need; set "
                "it in PRIMARY"
            )
        if what := is_uncalibrated(exposure["exposure_type"], [exposure["unit"]]):
            raise InputError(f"{exposure['path']}: {what}")
    if not found["offline"]:
        found |= look_up([exposure["path"] for exposure in exposures])
    with atomic_write(output) as descriptor:
        write_all(descriptor, f"{json.dumps(found, indent=1, sort_keys=True)}\n".encode())


def exposures_of(family: str, table: Path) -> list[dict[str, str]]:
    """Exposures that products of a family are from, as their indices have them."""
    results = str(table.parent)
    found: dict[str, None] = {}
    for product, row in read_sources(str(table)).items():
        if row["family"] == family:
            slits = read_manifest(manifest_path(results, product)).slits
            found.update(dict.fromkeys(exposure for exposure, _ in slits))
    if not found:
        raise InputError(f"{family}: no product is called so; see {table}")
    exposures = []
    for name in found:
        with IndexReader(index_path(results, name)) as reader:
            exposures.append(reader.exposure)
    return exposures


def look_up(exposures: list[str]) -> dict[str, Any]:
    """Ask CRDS for what the steps need for some exposures; it fetches the files.

    Raises
    ------
    InputError
        If it cannot be reached and no context is given, or if a file cannot be had.
    """
    from crds.core import config, heavy_client
    from crds.core.exceptions import CrdsError, CrdsLookupError
    from jwst.pipeline import Spec3Pipeline
    from stdatamodels.jwst.datamodels import read_metadata
    from stpipe import crds_client

    references: dict[str, set[str]] = {}
    parameters: dict[str, Any] = {}
    server = os.environ["CRDS_SERVER_URL"]
    try:
        reached = heavy_client.get_config_info(OBSERVATORY).connected
        if not reached and "CRDS_CONTEXT" not in os.environ:
            raise InputError(
                f"CRDS: {server} cannot be reached; set 'crds_context' to a context of the cache, "
                "or 'offline: true' for a trial without reference files"
            )
        for path in exposures:
            meta = read_metadata(path, flatten=True)
            kinds = [Spec3Pipeline.get_config_reftype()]
            kinds += [step.get_config_reftype() for step in Spec3Pipeline.step_defs.values()]
            for kind in kinds:
                # Most steps have no parameters in CRDS.
                with suppress(CrdsLookupError):
                    _fetch(meta, [kind], reached, references)
            pipeline = Spec3Pipeline.get_config_from_reference(meta, crds_observatory=OBSERVATORY)
            parameters |= json.loads(json.dumps(pipeline.get("steps", {}), default=str))
            types = set(Spec3Pipeline.from_config_section(pipeline).reference_file_types)
            _fetch(meta, sorted(types), reached, references)
        context = crds_client.get_context_used(OBSERVATORY)
    # CRDS exits if it has neither a server nor a cache.
    except (CrdsError, OSError, SystemExit) as error:
        cache = config.get_crds_path()
        if not os.path.isdir(cache):
            raise InputError(
                f"CRDS: there is no cache in {cache}, and none can be made from {server}; set "
                "'crds_path' (docs/how-to/spectra.md), or 'offline: true' for a trial without "
                "reference files"
            ) from None
        what = "gave up" if isinstance(error, SystemExit) else " ".join(str(error).split())
        raise InputError(
            f"CRDS: {what}; check {server}, the setting 'crds_context' and the cache in {cache}, "
            "or set 'offline: true' for a trial"
        ) from None
    return {
        "crds": {"context": context, "path": config.get_crds_path()},
        "references": {kind: sorted(files) for kind, files in sorted(references.items())},
        "parameters": parameters,
    }


def _fetch(
    meta: Mapping[str, Any], types: list[str], reached: bool, references: dict[str, set[str]]
) -> None:
    """Add the paths of the files of some types for an exposure, which are then there."""
    import crds
    from stpipe import crds_client

    if not reached:
        _refuse_missing(crds.getrecommendations(meta, reftypes=types, observatory=OBSERVATORY))
    found = crds_client.get_multiple_reference_paths(dict(meta), types, OBSERVATORY)
    for kind, path in found.items():
        if path != "N/A":
            references.setdefault(kind, set()).add(path)


def _refuse_missing(named: Mapping[str, str]) -> None:
    """Refuse to go on without files that a context names."""
    import crds

    for name in named.values():
        place = "" if name.startswith("NOT FOUND") else crds.locate_file(name, OBSERVATORY)
        if place and not os.path.isfile(place):
            raise InputError(
                f"{place}: is not in the cache of CRDS, whose server cannot be reached; with a "
                f"network, 'crds sync --files {name}' fetches it"
            )


def refuse_missing(product: Path) -> None:
    """Refuse a product whose steps ask for files that the cache has not.

    References were looked up for its family: these files are for exposures of another date.

    Raises
    ------
    InputError
        With the file, and the command that fetches it.
    """
    import crds
    from jwst.pipeline import Spec3Pipeline
    from stdatamodels.jwst.datamodels import read_metadata

    meta = read_metadata(product, flatten=True)
    for kind in sorted(set(Spec3Pipeline().reference_file_types)):
        _refuse_missing(crds.getrecommendations(meta, reftypes=[kind], observatory=OBSERVATORY))


def use_references(found: Mapping[str, Any], name: str) -> None:
    """Set CRDS up for a job: what was found, and no network.

    Parameters
    ----------
    found : mapping
        What `find_references` wrote.
    name : str
        Its file, for messages.

    Raises
    ------
    InputError
        If a file of the cache is gone.
    """
    if found["offline"]:
        return
    for path in (path for files in found["references"].values() for path in files):
        if not os.path.isfile(path):
            raise InputError(
                f"{path}: is gone from the cache of CRDS; bring it back, or delete {name} to "
                "have it fetched again"
            )
    os.environ.update(
        CRDS_PATH=found["crds"]["path"],
        CRDS_CONTEXT=found["crds"]["context"],
        CRDS_SERVER_URL=SERVERLESS,
        CRDS_READONLY_CACHE="1",
    )
