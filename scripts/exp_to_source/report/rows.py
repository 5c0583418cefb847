"""The table of sources in the report."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..verify.verdicts import FAILED, OK, Result
from .coverage import ABSENT
from .measure import Measurement

#: Labels of columns of the source list; other columns have their own names.
LABELS = {
    "source_id": "id",
    "source_name": "name",
    "slit_name": "slit",
    "absent": "absent from",
    "bytes": "MB",
    "wavelength_min": "µm",
    "ra": "RA (°)",
    "dec": "Dec (°)",
    "snr": "S/N",
    "line_snr": "line S/N",
    "usable": "usable (%)",
}
#: Columns of the measurements, after the column with its class.
MEASURED_COLUMNS = ("snr", "line_snr", "usable")
#: Classes in words.
CLASSES = {"s": "source", "b": "background", "v": "virtual slit"}
#: Content of columns that are sorted by value.
NUMBER = re.compile(r"(-?[0-9]+(\.[0-9]+)?)?")
#: Columns of the source list that the page does not show unchanged.
HIDDEN = {"product", "planes", "digest", "rows", "columns", "wavelength_max"}
HIDDEN |= {"exposure_type", "family", "exposure_names"}


def make_source_table(
    sources: Sequence[Mapping[str, str]],
    coverage: Mapping[str, str],
    missing: Collection[str],
    verdicts: Mapping[str, Result],
    measurements: Mapping[str, Measurement],
) -> dict[str, Any]:
    """Make the table of sources: columns with label and type, rows, and marks to filter rows.

    Sources are the rows of the source list; coverage, verdicts and measurements are by product.
    """
    values, marks = [], []
    for source in sources:
        name = source["product"]
        absent = coverage[name].count(ABSENT)
        verdict = verdicts.get(name, Result())
        values.append(
            {
                **source,
                **format_measurement(measurements.get(name, {})),
                **{key: source[key] and f"{float(source[key]):.5f}" for key in ("ra", "dec")},
                "class": CLASSES.get(source["class"], source["class"]),
                "bytes": f"{int(source['bytes']) / 1e6:.2f}",
                "absent": str(absent or ""),
                "wavelength_min": format_wavelengths(source),
                "status": verdict.status,
                "verdict": verdict.message,
            }
        )
        damaged = verdict.status == FAILED
        tests = {"absent": absent > 0, "missing": name in missing, "damaged": damaged}
        marks.append([mark for mark, holds in tests.items() if holds])

    candidates = [column for column in next(iter(sources), ()) if column not in HIDDEN]
    if "exposures" in candidates:
        candidates.insert(candidates.index("exposures") + 1, "absent")
    first = [n + 1 for n, key in enumerate(candidates) if key in ("source_name", "class")]
    position = max(first, default=0)
    candidates[position:position] = MEASURED_COLUMNS
    if any(row["status"] not in ("", OK) for row in values):
        candidates += ["status", "verdict"]
    shown = [column for column in candidates if any(row[column] for row in values)]
    return {
        "columns": [
            {
                "label": LABELS.get(column, column.replace("_", " ")),
                "numeric": all(NUMBER.fullmatch(row[column]) for row in values),
            }
            for column in shown
        ],
        "rows": [[row[column] for column in shown] for row in values],
        "marks": marks,
    }


def format_wavelengths(source: Mapping[str, str]) -> str:
    """Format the range of wavelengths of a source in microns, empty if it is not known."""
    limits = (source.get(f"wavelength_{end}", "") for end in ("min", "max"))
    return "-".join(f"{float(limit):.2f}" for limit in limits if limit)


def format_measurement(measurement: Measurement) -> dict[str, str]:
    """Format the measured columns."""
    values = {column: measurement.get(column) for column in MEASURED_COLUMNS}
    return {k: "" if value is None else f"{value:.1f}" for k, value in values.items()}
