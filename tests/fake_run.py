"""A run of any size without pixels: indices, manifests and source list of made-up slits."""

import hashlib
import os
from pathlib import Path

from exp_to_source.formats.index_writer import write_index
from exp_to_source.formats.layouts import SlitLayout
from exp_to_source.formats.summaries import SlitSummary
from exp_to_source.sources.listing import list_sources

DETECTORS = ("nrs1", "nrs2")


def write_fake_run(folder: Path, sources: int, exposures: int, made: int = 0) -> Path:
    """Make up the results of a run.

    Two thirds of the sources are on both detectors, each is absent from a tenth of the exposures;
    the first `made` products are there, as empty files.
    """
    results = folder / "results"
    indices = []
    for number in range(exposures):
        detector = DETECTORS[number % 2]
        name = f"jw10006010001_03101_{1 + number // 2:05}_{detector}_cal"
        indices.append(f"{results}/index/{name}.txt")
        about = {
            "exposure": name,
            "path": f"/data/{name}.fits",
            "size": 0,
            "program": "10006",
            "observation": "010",
            "instrument": "NIRSPEC",
            "detector": detector.upper(),
            "filter": "F170LP",
            "grating": "G235M",
            "pupil": "",
            "subarray": "FULL",
            "exposure_type": "NRS_MSASPEC",
            "version": "1.20.0",
            "standard": "1.6.0",
        }
        slits = [
            slit(number, source)
            for source in range(1, sources + 1)
            if number % 2 != source % 3 and (source * 7 + number * 3) % 10
        ]
        write_index(indices[-1], about, {}, slits)
    list_sources(indices, str(results / "sources.tsv"))
    (results / "products").mkdir()
    for manifest in sorted(os.listdir(results / "manifests"))[:made]:
        (results / "products" / f"{manifest.removesuffix('.txt')}_cal.fits").touch()
    return results


def slit(exposure: int, source: int) -> tuple[SlitSummary, SlitLayout]:
    """Summary and layout of a slit."""
    digest = hashlib.sha256(b"%d %d" % (exposure, source)).hexdigest()[:32]
    size = 300_000 + 7919 * source % 500_000
    what = (14, size, (30, 400), (1.66, 3.17), f"{10 + source / 100} {source / 200 - 5}")
    head = SlitSummary(digest, source, f"10006_{source}", str(source), "NRS_MSASPEC", *what)
    return head, SlitLayout([], {}, (False, 0, 0), [], [], [], None, None)
