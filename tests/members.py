"""An association of two WFSS exposures, by the names that their members have."""

import json
from pathlib import Path
from typing import Any

TEMPLATE = "jw10006-o010_t001_nircam_f356w-grismr"
NAMES = ["jw10006010001_03101_00001_nrcalong", "jw10006010001_03101_00002_nrcalong"]


def write_association(folder: Path, suffix: str, *others: dict[str, Any]) -> str:
    """Write an association of two exposures, its products one or several."""
    members = [{"expname": f"{name}_{suffix}.fits", "exptype": "science"} for name in NAMES]
    path = folder / "x_asn.json"
    products = [{"name": TEMPLATE, "members": members}, *others]
    path.write_text(json.dumps({"asn_type": "spec3", "asn_pool": "p.csv", "products": products}))
    return str(path)
