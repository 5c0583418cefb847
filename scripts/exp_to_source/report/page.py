"""The report of a run: one self-contained HTML page."""

import base64
import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .. import FORMAT, __version__
from ..files import date_now, write_file
from ..results import SOURCES
from ..tables import read_sources
from ..verify.verdicts import OK, Result, current_results
from .coverage import ABSENT, compute_histogram, read_coverage
from .exposures import ExposureSummary, summarize_exposures, summarize_observation
from .findings import find_missing_products, find_problems
from .measure import read_measurements
from .rows import make_source_table
from .views import make_views

TEMPLATES = Path(__file__).with_name("templates")
PACKAGES = ("snakemake", "astropy", "numpy", "asdf", "stdatamodels")


def write_report(
    output: str,
    results: str,
    logs: str,
    settings: Mapping[str, Any],
    exposures: Iterable[str],
    measured: Iterable[str],
) -> None:
    """Write the report of a run, from the names of its exposures and the files of measurements.

    It depends only on its input, except for the time of writing in its last line, which the
    environment variable SOURCE_DATE_EPOCH fixes. Measurements, spectra and pictures of an earlier
    state of a product are not shown, and missing products are reported.
    """
    sources = list(read_sources(os.path.join(results, SOURCES)).values())
    digests = {source["product"]: source["digest"] for source in sources}
    summaries = summarize_exposures(results, exposures)
    coverage = read_coverage(results, summaries)
    letters = {name: product.letters for name, product in coverage.items()}
    measurements = read_measurements(measured, digests)
    verdicts = current_results(results)
    missing = find_missing_products(results, digests)
    page = render(
        observation=summarize_observation(summaries),
        facts=summarize_run(sources, summaries, missing, verdicts),
        complete=not any(ABSENT in line for line in letters.values()),
        findings=find_problems(results, logs, letters, verdicts),
        histograms=make_histograms(sources, summaries),
        settings={key: json.dumps(value) for key, value in settings.items()},
        versions=find_versions(summaries),
        written=date_now()[:19].replace("T", " "),
        data={
            **make_source_table(sources, letters, missing, verdicts, measurements),
            **make_views(results, digests, coverage, measurements),
            "positions": [
                [float(source["ra"]), float(source["dec"])] if source["ra"] else None
                for source in sources
            ],
            "exposures": [exposure.name for exposure in summaries],
            **{
                f"{key}s": [getattr(exposure, key) for exposure in summaries]
                for key in ("setting", "time", "nod", "detector")
            },
            "coverage": list(letters.values()),
            "products": list(digests),
        },
    )
    write_file(output, page.encode())


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


def summarize_run(
    sources: Sequence[Mapping[str, str]],
    exposures: Sequence[ExposureSummary],
    missing: Collection[str],
    verdicts: Mapping[str, Result],
) -> dict[str, str]:
    """Count sources, exposures, slits and products, for the head of the page."""
    states = [verdict.status for verdict in verdicts.values() if verdict.status]
    sound = states.count(OK)
    total = "" if sound == len(sources) else f" of {len(sources):,}"
    return {
        "sources": f"{len(sources):,}",
        "exposures": f"{len(exposures):,}",
        "slits": f"{sum(int(source['slits']) for source in sources):,}",
        "products": f"{len(sources) - len(missing):,} of {len(sources):,}",
        "verified": f"{sound:,}{total} sound" if states else "not yet",
    }


def make_histograms(
    sources: Sequence[Mapping[str, str]], exposures: Sequence[ExposureSummary]
) -> list[dict[str, Any]]:
    """Make the histograms of the page: bars with their labels."""
    counts = [int(source["exposures"]) for source in sources]
    sizes = [size // 1000 for exposure in exposures for size in exposure.slit_sizes]
    histograms = (
        ("Exposures per source", "exposures", "sources", compute_histogram(counts)),
        ("Size of slits", "kB, all images of a slit", "slits", compute_histogram(sizes)),
    )
    return [dict(zip(("title", "axis", "noun", "bins"), row, strict=True)) for row in histograms]


def find_versions(exposures: Sequence[ExposureSummary]) -> dict[str, str]:
    """Find the versions of the software behind the products."""
    pipelines = sorted(Counter(exposure.version for exposure in exposures).items())
    return {
        "exp_to_source": f"{__version__}, format {FORMAT}",
        "Python": platform.python_version(),
        **{package: _find_version(package) for package in PACKAGES},
        "pipeline of the exposures": ", ".join(f"{name} ({count})" for name, count in pipelines),
    }


def _find_version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
