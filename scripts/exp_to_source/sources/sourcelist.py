"""The rows of the source list, one a product."""

import hashlib
from collections.abc import Iterable
from typing import Any

from ..tables import write_table
from .products import Product, manifest

#: Columns of the source list.
COLUMNS = (
    *("product", "source_id", "class", "source_name", "slit_name"),
    *("exposures", "slits", "planes", "bytes", "digest", "joined"),
    *("detectors", "wavelength_min", "wavelength_max", "rows", "columns"),
)

#: Their types in ECSV, where they are not text, and units.
TYPES = {
    **dict.fromkeys(("source_id", "exposures", "slits", "planes", "rows", "columns"), "int64"),
    **{"bytes": "int64", "wavelength_min": "float64", "wavelength_max": "float64"},
}
UNITS = {
    **{"bytes": "byte", "rows": "pix", "columns": "pix"},
    **{"wavelength_min": "um", "wavelength_max": "um"},
}

#: Columns of the list of sources that are not made.
LEFT_OUT = (
    *("product", "source_id", "class", "source_name", "slit_name"),
    *("exposures", "slits", "reason"),
)


def source_row(product: Product) -> dict[str, Any]:
    """Row of the source list for a product; several names are joined by commas."""
    slits = product.slits
    names = [product.label, *(slit.source_name for slit in slits)]
    waves = [limit for slit in slits for limit in slit.wavelengths or ()]
    shapes = [slit.shape for slit in slits if len(slit.shape) == 2]
    return {
        "product": product.name,
        "source_id": product.source_id,
        "class": product.kind,
        "source_name": ",".join(name for name in dict.fromkeys(names) if name),
        "slit_name": ",".join(dict.fromkeys(s.slit_name for s in slits if s.slit_name)),
        "exposures": len({slit.exposure for slit in slits}),
        "slits": len(slits),
        "planes": sum(slit.planes for slit in slits),
        "bytes": sum(slit.size for slit in slits),
        "digest": hashlib.sha256(manifest(product)).hexdigest()[:16],
        "joined": ",".join(product.joined),
        "detectors": ",".join(sorted({slit.detector for slit in slits if slit.detector})),
        "wavelength_min": min(waves, default=""),
        "wavelength_max": max(waves, default=""),
        "rows": max((rows for rows, _ in shapes), default=""),
        "columns": max((columns for _, columns in shapes), default=""),
    }


def write_ecsv(path: str, rows: Iterable[dict[str, Any]]) -> None:
    """Write the source list as ECSV, with units (astropy's APE 6, version 1.0)."""
    head = ["%ECSV 1.0", "---", "delimiter: ','", "datatype:"]
    for name in COLUMNS:
        unit = f", unit: {UNITS[name]}" if name in UNITS else ""
        head.append(f"- {{name: {name}{unit}, datatype: {TYPES.get(name, 'string')}}}")
    write_table(path, COLUMNS, rows, ",", "".join(f"# {line}\n" for line in head))
