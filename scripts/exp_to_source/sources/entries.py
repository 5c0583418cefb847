"""The entries of all products: a table, and their places and footprints as regions for DS9."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

from ..files import atomic_write, write_all, write_file
from ..modes import is_grism
from .families import Slit
from .products import Product

#: Columns of the table (docs/reference/files.md).
COLUMNS = (
    *("product", "entry", "exposure", "detector", "dither", "slit_name", "order"),
    *("shutter_state", "exposure_time", "ra", "dec"),
)

#: S_REGION of three corners or more, https://www.ivoa.net/documents/STC-S
CORNERS = re.compile(r"POLYGON\s+ICRS((?:\s+[-+.0-9eE]+\s+[-+.0-9eE]+){3,})")


def write_entries(path: str, products: Iterable[Product]) -> None:
    """Write a table, separated by tabs, with a row for each entry of each product, in order.

    ``entry`` is EXTVER of the entry's image extensions. What a header does not have is empty.
    """
    with atomic_write(path) as file:
        write_all(file, _format_rows([COLUMNS]))
        # One product at a time: all rows may be a hundred megabytes.
        for product in products:
            rows = (_row(product.name, n, slit) for n, slit in enumerate(product.slits, 1))
            write_all(file, _format_rows(rows))


def _format_rows(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _row(product: str, entry: int, slit: Slit) -> tuple[Any, ...]:
    what = slit.exposure, slit.detector, slit.dither, slit.slit_name, slit.order
    ra, _, dec = slit.position.partition(" ")
    return product, entry, *what, slit.shutter_state, slit.exposure_time, ra, dec


def write_regions(path: str, products: Iterable[Product]) -> None:
    """Write the places of sources, with their ids, and the footprints of slits for DS9 (ICRS).

    Tags are product and exposure, of which DS9 makes groups. The slits of a grism have the
    footprint of their exposure, which is written once.
    """
    lines = ["# Region file format: DS9 version 4.1", "global color=green", "icrs"]
    polygons = []
    for product in products:
        tag = f"tag={{{product.name}}}"
        if place := next((slit.position for slit in product.slits if slit.position), ""):
            what = f"point=cross color=red text={{{product.source_id}}}"
            lines.append(f"point({place.replace(' ', ',')}) # {what} {tag}")
        for slit in product.slits:
            if corners := find_corners(slit.region):
                tags = "" if is_grism(slit.exposure_type) else f"{tag} "
                polygons.append(f"polygon({corners}) # {tags}tag={{{slit.exposure}}}")
    text = "\n".join((*lines, *dict.fromkeys(polygons)))
    write_file(path, f"{text}\n".encode())


def find_corners(region: str) -> str:
    """Return the coordinates in S_REGION, between commas, if it is a polygon in ICRS."""
    match = CORNERS.fullmatch(region.strip())
    return ",".join(match[1].split()) if match else ""
