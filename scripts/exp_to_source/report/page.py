"""The report of a run: one self-contained HTML page."""

import base64
import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .. import FORMAT, __version__
from ..files import atomic_write, date_now, write_all
from ..results import MANIFESTS, SOURCES, quicklook_path
from ..tables import read_table
from ..verify.verdicts import SOUND, Told, standing_verdicts
from .coverage import ABSENT, Exposure, histogram, read_coverage, read_exposures
from .findings import find_problems, missing_products
from .observing import read_observed, summary
from .rows import table
from .views import read_measured, views

TEMPLATES = Path(__file__).with_name("templates")
PACKAGES = ("snakemake", "astropy", "numpy", "asdf", "stdatamodels")

#: Quick looks are part of the page if all of them together are not larger than this (bytes).
#: Otherwise the page refers to their files.
EMBEDDED = 4_000_000


def write_report(output: str, results: str, logs: str, request: str, configuration: str) -> None:
    """Write the report of a run; missing products are reported.

    Parameters
    ----------
    output : str
        HTML file to write. It depends only on its input, except for the time of writing in its last
        line, which the environment variable SOURCE_DATE_EPOCH fixes.
    results, logs : str
        Folders of the run.
    request : str
        Options of ``list_sources.py`` for the run, one a line.
    configuration : str
        JSON file of the run's configuration.

    Raises
    ------
    InputError
        If the run has no source list yet, or its files are damaged.
    """
    with open(configuration, encoding="utf-8") as file:
        settings = json.load(file)
    with open(os.path.join(results, SOURCES), encoding="utf-8") as file:
        columns = file.readline().rstrip("\n").split("\t")
    sources = read_table(os.path.join(results, SOURCES))
    exposures = read_exposures(request, results)
    products = [source["product"] for source in sources]
    covered = read_coverage(products, exposures, os.path.join(results, MANIFESTS))
    coverage = {name: found.letters for name, found in covered.items()}
    observed = [read_observed(exposure.path) for exposure in exposures]
    measured = read_measured(results, products)
    verdicts = standing_verdicts(results, products)
    missing = set(missing_products(results, products))
    page = render(
        observed=summary(observed),
        facts=facts(sources, exposures, missing, verdicts),
        complete=not any(ABSENT in letters for letters in coverage.values()),
        findings=find_problems(results, logs, coverage, verdicts),
        histograms=histograms(sources, exposures),
        configuration={key: json.dumps(value) for key, value in settings.items()},
        versions=versions(exposures),
        written=date_now()[:19].replace("T", " "),
        data={
            **table(columns, sources, coverage, missing, verdicts, measured),
            **views(results, products, covered, measured),
            "exposures": [exposure.name for exposure in exposures],
            "settings": [exposure.setting for exposure in exposures],
            "nods": [one.nod for one in observed],
            "detectors": [one.detector for one in observed],
            "coverage": [coverage[product] for product in products],
            "products": products,
            "looks": read_looks(results, products),
        },
    )
    with atomic_write(output) as file:
        write_all(file, page.encode())


def render(**content: Any) -> str:
    """Fill the template; every text is escaped, as names come from the headers of files."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    style, *scripts = (
        (TEMPLATES / name).read_text(encoding="utf-8")
        for name in ("report.css", "report.js", "view.js", "sky.js", "coverage.js", "start.js")
    )
    script = "\n".join(scripts)
    return environment.get_template("report.html.j2").render(
        style=Markup(style),
        script=Markup(script),
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **content,
    )


def facts(
    sources: list[dict[str, str]],
    exposures: list[Exposure],
    missing: set[str],
    verdicts: Mapping[str, Told],
) -> dict[str, str]:
    """Figures at the head of the page."""
    states = [told.status for told in verdicts.values() if told.status]
    sound = states.count(SOUND)
    whole = "" if sound == len(sources) else f" of {len(sources):,}"
    return {
        "sources": f"{len(sources):,}",
        "exposures": f"{len(exposures):,}",
        "slits": f"{sum(int(source['slits']) for source in sources):,}",
        "products made": f"{len(sources) - len(missing):,} of {len(sources):,}",
        "verified": f"{sound:,}{whole} sound" if states else "not yet",
    }


def histograms(sources: list[dict[str, str]], exposures: list[Exposure]) -> list[dict[str, Any]]:
    """Histograms of the page: bars with their labels."""
    counts = [int(source["exposures"]) for source in sources]
    sizes = [size // 1000 for exposure in exposures for size in exposure.sizes]
    return [
        {
            "title": "Exposures per source",
            "axis": "exposures",
            "whole": "sources",
            "bins": histogram(counts),
        },
        {
            "title": "Size of slits",
            "axis": "kB, all planes of a slit",
            "whole": "slits",
            "bins": histogram(sizes),
        },
    ]


def versions(exposures: list[Exposure]) -> dict[str, str]:
    """Versions of all software that took part in the products."""
    pipelines = Counter(exposure.version for exposure in exposures)
    return {
        "exp_to_source": f"{__version__}, format {FORMAT}",
        "Python": platform.python_version(),
        **{package: _version(package) for package in PACKAGES},
        "pipeline of the exposures": ", ".join(
            f"{version} ({count})" for version, count in sorted(pipelines.items())
        ),
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def read_looks(results: str, products: list[str]) -> list[str | int]:
    """Quick looks of the products.

    Parameters
    ----------
    results : str
        Folder of the results.
    products : list of str
        Names of the products.

    Returns
    -------
    list
        For each product the picture as base64, 1 if it is a separate file, 0 for none.
    """
    paths = [quicklook_path(results, name) for name in products]
    there = [os.path.isfile(path) for path in paths]
    found = [path for path, is_there in zip(paths, there, strict=True) if is_there]
    if sum(map(os.path.getsize, found)) > EMBEDDED:
        return list(map(int, there))
    return [
        base64.b64encode(Path(path).read_bytes()).decode() if is_there else 0
        for path, is_there in zip(paths, there, strict=True)
    ]
