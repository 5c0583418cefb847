"""The rows of the source list, one a product."""

import hashlib
from typing import Any

from .grouping import Product, manifest

#: Columns of the source list.
COLUMNS = (
    *("product", "source_id", "class", "source_name", "slit_name"),
    *("exposures", "slits", "planes", "bytes", "digest", "joined"),
)

#: Columns of the list of sources that are not made.
LEFT_OUT = (
    *("product", "source_id", "class", "source_name", "slit_name"),
    *("exposures", "slits", "reason"),
)


def source_row(product: Product) -> dict[str, Any]:
    """Row of the source list for a product; several names are joined by commas."""
    slits = product.slits
    names = [product.label, *(slit.source_name for slit in slits)]
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
    }
