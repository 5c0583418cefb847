"""The table of sources in the report."""

import re
from collections.abc import Mapping
from typing import Any

from ..verify.verdicts import DAMAGED, Told
from .coverage import ABSENT
from .measure import Measured

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
    "usable": "usable (%)",
}
#: What is measured of a product, after the column with its class.
MEASURES = ("ra", "dec", "snr", "usable")
#: Classes in words.
CLASSES = {"s": "source", "b": "background", "v": "virtual slit"}
#: Content of columns that are sorted by value.
NUMBER = re.compile(r"(-?[0-9]+(\.[0-9]+)?)?")
#: Columns of the source list that the page does not show unchanged.
HIDDEN = {
    *("product", "planes", "digest", "rows", "columns", "wavelength_max"),
    *("exposure_type", "family"),
}


def table(
    columns: list[str],
    sources: list[dict[str, str]],
    coverage: Mapping[str, str],
    missing: set[str],
    verdicts: Mapping[str, Told],
    measured: Mapping[str, Measured],
) -> dict[str, Any]:
    """Table of sources: columns with label and kind, rows, and marks for filtering rows."""
    shown = [
        column
        for column in columns
        if column not in HIDDEN and any(source[column] for source in sources)
    ]
    if "exposures" in shown and any(ABSENT in cells for cells in coverage.values()):
        shown.insert(shown.index("exposures") + 1, "absent")
    figures = {name: figures_of(measured.get(name, {})) for name in coverage}
    place = 1 + max(shown.index(key) if key in shown else -1 for key in ("source_name", "class"))
    shown[place:place] = [key for key in MEASURES if any(row[key] for row in figures.values())]
    told = [verdicts.get(name, Told()) for name in coverage]
    shown += ["status"] if any(verdict.status for verdict in told) else []
    shown += ["verdict"] if any(verdict.words for verdict in told) else []
    rows, marks = [], []
    for source in sources:
        name = source["product"]
        absent = coverage[name].count(ABSENT)
        verdict = verdicts.get(name, Told())
        values = {
            **source,
            **figures[name],
            "class": CLASSES.get(source.get("class", ""), source.get("class", "")),
            "bytes": f"{int(source['bytes']) / 1e6:.2f}",
            "absent": str(absent or ""),
            "wavelength_min": wavelengths(source),
            "status": verdict.status,
            "verdict": verdict.words,
        }
        rows.append([values[column] for column in shown])
        tests = {
            "absent": absent > 0,
            "missing": name in missing,
            "damaged": verdict.status == DAMAGED,
        }
        marks.append([mark for mark, holds in tests.items() if holds])
    numeric = [all(NUMBER.fullmatch(row[n]) for row in rows) for n in range(len(shown))]
    return {
        "columns": [
            {"label": LABELS.get(column, column.replace("_", " ")), "numeric": number}
            for column, number in zip(shown, numeric, strict=True)
        ],
        "rows": rows,
        "marks": marks,
    }


def wavelengths(source: Mapping[str, str]) -> str:
    """Range of wavelengths of a source in microns, empty if it is not known."""
    limits = (source.get(f"wavelength_{end}", "") for end in ("min", "max"))
    return "-".join(f"{float(limit):.2f}" for limit in limits if limit)


def figures_of(measured: Measured) -> dict[str, str]:
    """Return what was measured of a product, in texts."""
    ra, dec = measured.get("position") or (None, None)
    snr, usable = measured.get("snr"), measured.get("usable")
    return {
        "ra": "" if ra is None else f"{ra:.5f}",
        "dec": "" if dec is None else f"{dec:.5f}",
        "snr": "" if snr is None else f"{snr:.1f}",
        "usable": "" if usable is None else f"{usable:.1f}",
    }
