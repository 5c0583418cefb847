"""Reference files and parameters from CRDS: looked up once, before any source.

Jobs then run with this context, on a cache that they only read, without network.
"""

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import chain, pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..errors import InputError
from ..files import write_file
from ..formats.indices import IndexReader
from ..formats.manifests import read_manifest
from ..results import index_path, manifest_path
from ..tables import read_sources

#: Settings of CRDS, and the environment variables that they stand for.
SETTINGS = {"path": "CRDS_PATH", "server": "CRDS_SERVER_URL", "context": "CRDS_CONTEXT"}

#: The server, unless settings or environment name another (jwst documentation, "CRDS").
SERVER = "https://jwst-crds.stsci.edu"

#: By this address CRDS knows that there is no server to ask.
SERVERLESS = "https://crds-serverless-mode.stsci.edu"

#: Environment in which CRDS neither asks its server nor expects a cache of reference files.
OFFLINE = {
    "CRDS_SERVER_URL": SERVERLESS,
    "CRDS_CONTEXT": "jwst_0000.pmap",
    "STPIPE_DISABLE_CRDS_STEPPARS": "true",
}

OBSERVATORY = "jwst"

#: Beginning of the names of parameters that are paths of reference files.
OVERRIDE = "override_"

#: By step.
Parameters = Mapping[str, Mapping[str, Any]]

#: None but the steps' own.
NO_PARAMETERS: Mapping[str, Any] = MappingProxyType({})


@contextmanager
def without_crds(offline: bool = True) -> Iterator[None]:
    """Set CRDS up to do without network and reference files, before jwst is imported."""
    if not offline:
        yield
        return
    # Rules import this module, and need no temporary folder.
    import tempfile

    # What CRDS wants to know of its server.
    server = {"observatory": "jwst", "operational_context": OFFLINE["CRDS_CONTEXT"]}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config", "jwst", "server_config")
        config.parent.mkdir(parents=True)
        config.write_text(repr(server | {"last_synced": ""}), encoding="utf-8")
        os.environ.update(OFFLINE, CRDS_PATH=folder)
        yield


def override_files(steps: Parameters, parameters_file: Path | None) -> list[str]:
    """List the files that parameters name in place of those of CRDS (``override_*``).

    Their sizes and times decide about reruns, so rules call this: it imports neither jwst nor asdf.
    """
    import yaml

    values = [v for step in steps.values() for k, v in step.items() if k.startswith(OVERRIDE)]
    if parameters_file:
        text = parameters_file.read_bytes().partition(b"\n...")[0].decode("utf-8", "replace")
        if text.startswith("#ASDF"):
            # `find_references` reports damages.
            with suppress(yaml.YAMLError):
                scalars = [getattr(event, "value", "") for event in yaml.parse(text)]
                values += [value for key, value in pairwise(scalars) if key.startswith(OVERRIDE)]
        else:
            # The older format, of configobj.
            values += re.findall(rf"(?m)^\s*{OVERRIDE}\w+\s*=\s*['\"]?([^'\"#\n]*)", text)
    paths = {os.path.expanduser(str(value).strip()) for value in values}
    return sorted(filter(os.path.isfile, paths))


def find_references(
    output: Path,
    table: str,
    values: Mapping[str, Any],
    background: Collection[str],
    crds: Mapping[str, str | None],
) -> None:
    """Check parameters of steps, and look up and fetch what the steps need from CRDS.

    The JSON that is written is named after the family of the products. It has ``offline``,
    ``steps`` (parameters, which override those of the file), ``background`` (names of the
    association tables with members whose background is to be subtracted), and what is from CRDS:
    ``crds`` (``path``, ``context``), ``references`` (type to paths), ``parameters`` (by step).
    `values` are the settings of the run, and `crds` is its cache and server; those of CRDS that are
    None are those of the environment.
    """
    offline, steps, file = (values[key] for key in ("offline", "spec3", "spec3_parameters"))
    if not offline:
        os.environ.setdefault("CRDS_SERVER_URL", SERVER)
        given = {"crds_context": values["crds_context"], **crds}
        for key, variable in SETTINGS.items():
            if value := given[f"crds_{key}"]:
                os.environ[variable] = value
    # jwst reads the environment when it is imported.
    from .parameters import check_parameters, read_parameters
    from .pipeline import check_calibrated

    base = read_parameters(Path(file)) if file else {}
    merged = {step: {**base.get(step, {}), **steps.get(step, {})} for step in {**base, **steps}}
    check_parameters(merged)
    exposures = read_exposures(output.name.removesuffix(".json"), table)
    for exposure in exposures:
        if not exposure["stated_type"]:
            raise InputError(
                f"{exposure['path']}: has no EXP_TYPE, which the steps of the pipeline need; set "
                "it in PRIMARY"
            )
        check_calibrated(exposure["path"], exposure["exposure_type"], [exposure["unit"]])
    result = {"offline": offline, "steps": merged, "background": [*background]}
    if not offline:
        result |= look_up([exposure["path"] for exposure in exposures])
    write_file(output, f"{json.dumps(result, indent=1, sort_keys=True)}\n".encode())


def read_exposures(family: str, table: str) -> list[dict[str, str]]:
    """Read the exposures of the products of a family from their indices."""
    results = str(Path(table).parent)
    products = [name for name, row in read_sources(table).items() if row["family"] == family]
    if not products:
        raise InputError(f"{family}: no product has this name; see {table}")
    manifests = (read_manifest(manifest_path(results, product)) for product in products)
    exposures = []
    for name in dict.fromkeys(name for manifest in manifests for name, _ in manifest.slits):
        with IndexReader(index_path(results, name)) as reader:
            exposures.append(reader.exposure)
    return exposures


def look_up(exposures: list[str]) -> dict[str, Any]:
    """Look up what the steps need for some exposures, and fetch the files."""
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
            for step in (Spec3Pipeline, *Spec3Pipeline.step_defs.values()):
                # Most steps have no parameters in CRDS.
                with suppress(CrdsLookupError):
                    _fetch(meta, [step.get_config_reftype()], reached, references)
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
        fault = "gave up" if isinstance(error, SystemExit) else " ".join(str(error).split())
        raise InputError(
            f"CRDS: {fault}; check {server}, the setting 'crds_context' and the cache in {cache}, "
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
    """Fetch the files of some types for an exposure, and add their paths."""
    import crds
    from stpipe import crds_client

    if not reached:
        _check_cached(crds.getrecommendations(meta, reftypes=types, observatory=OBSERVATORY))
    paths = crds_client.get_multiple_reference_paths(dict(meta), types, OBSERVATORY)
    for kind, path in paths.items():
        if path != "N/A":
            references.setdefault(kind, set()).add(path)


def _check_cached(names: Mapping[str, str]) -> None:
    """Check that the cache has the files that a context names, by their types."""
    import crds

    for name in names.values():
        path = "" if name.startswith("NOT FOUND") else crds.locate_file(name, OBSERVATORY)
        if path and not os.path.isfile(path):
            raise InputError(
                f"{path}: is not in the cache of CRDS, whose server cannot be reached; with a "
                f"network, 'crds sync --files {name}' fetches it"
            )


def check_references(product: Path) -> None:
    """Check that the cache has the files that the steps need for a product.

    References were looked up for its family: a missing file is for exposures of another date.
    """
    import crds
    from jwst.pipeline import Spec3Pipeline
    from stdatamodels.jwst.datamodels import read_metadata

    meta = read_metadata(product, flatten=True)
    for kind in sorted(set(Spec3Pipeline().reference_file_types)):
        _check_cached(crds.getrecommendations(meta, reftypes=[kind], observatory=OBSERVATORY))


def use_references(path: Path) -> dict[str, Any]:
    """Read the file of `find_references`, and set CRDS up for a job: no network."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if not content["offline"]:
        for file in chain.from_iterable(content["references"].values()):
            if not os.path.isfile(file):
                raise InputError(
                    f"{file}: is gone from the cache of CRDS; bring it back, or delete {path} to "
                    "have it fetched again"
                )
        os.environ.update(
            CRDS_PATH=content["crds"]["path"],
            CRDS_CONTEXT=content["crds"]["context"],
            CRDS_SERVER_URL=SERVERLESS,
            CRDS_READONLY_CACHE="1",
        )
    return content
