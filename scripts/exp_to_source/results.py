"""The folder of results: every name in it once, for rules and library alike."""

#: Folders: one file an exposure, a product, a request.
INDICES = "index"
MANIFESTS = "manifests"
PRODUCTS = "products"
QUICKLOOKS = "quicklook"
REQUESTS = "request"
FINGERPRINTS = "verify/exposures"
VERDICTS = "verify/products"
SPEC3 = "spec3"

#: Products that stay until their successors are made, and those that no source list has any more.
PREVIOUS = "previous"
STALE = "stale"

#: What jobs left that must not fail.
FAILURES = "failures"

#: Tables.
SOURCES = "sources.tsv"
LEFT_OUT = "left_out.tsv"
SKIPPED = "skipped.tsv"
REMARKS = "remarks.tsv"
PROOF = "verify.tsv"

#: The page.
REPORT = "report.html"

#: How the names of exposures and products end, and of exposures with master background subtracted.
CAL = "_cal.fits"
MBSUB = "_mbsub.fits"


def index_path(results: str, exposure: str) -> str:
    """Path of the index of an exposure."""
    return f"{results}/{INDICES}/{exposure}.jsonl"


def manifest_path(results: str, product: str) -> str:
    """Path of the manifest of a product."""
    return f"{results}/{MANIFESTS}/{product}.json"


def product_path(results: str, product: str) -> str:
    """Path of a product."""
    return f"{results}/{PRODUCTS}/{product}{CAL}"
