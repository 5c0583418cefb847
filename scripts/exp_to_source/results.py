"""The folder of results: each name in it is defined once, for rules and library."""

#: Folders: one file for each exposure or product.
FETCHED = "exposures"
INDICES = "index"
MANIFESTS = "manifests"
PREPARED = "prepared"
PRODUCTS = "products"
QUICKLOOKS = "quicklook"
MEASURED = "measured"
FINGERPRINTS = "verify/exposures"
VERDICTS = "verify/products"
SPEC3 = "spec3"
STACKS = "spectra"
REFERENCES = "references"

#: Products that are in no source list any more.
STALE = "stale"

#: Records of failures of jobs that must exit with 0.
FAILURES = "failures"

#: Tables.
SOURCES = "sources.tsv"
LEFT_OUT = "left_out.tsv"
SKIPPED = "skipped.tsv"
REMARKS = "remarks.tsv"
EXPOSURES = "exposures.tsv"
JOINS = "joins.tsv"
VERIFICATION = "verify.tsv"

#: Places of sources and footprints of slits, for DS9.
REGIONS = "regions.reg"

#: The catalogue.
CATALOG = "catalog.fits"

#: What is written beside the settings when the sources are listed.
LISTED = {SOURCES, "sources.ecsv", EXPOSURES, REGIONS, LEFT_OUT, SKIPPED, REMARKS, JOINS}

#: Settings with which the sources were listed, and how the last run ended.
SETTINGS = "settings.json"
SUMMARY = "summary.json"

#: The report.
REPORT = "report.html"

#: What is made of a product on the way to its spectrum, which is written last, by whether its mode
#: has slits.
SLIT_SPECTRA = ("crf", "s2d", "x1d")
GRISM_SPECTRA = ("c1d", "x1d")
SPECTRA = ("crf", "s2d", "x1d", "c1d")

#: Endings of the names of exposures and products, and of exposures with the master background
#: subtracted.
CAL = "_cal.fits"
MBSUB = "_mbsub.fits"


def index_name(exposure: str) -> str:
    """File name of the index of an exposure."""
    return f"{exposure}.txt"


def index_path(results: str, exposure: str) -> str:
    """Path of the index of an exposure."""
    return f"{results}/{INDICES}/{index_name(exposure)}"


def manifest_name(product: str) -> str:
    """File name of the manifest of a product."""
    return f"{product}.txt"


def manifest_path(results: str, product: str) -> str:
    """Path of the manifest of a product."""
    return f"{results}/{MANIFESTS}/{manifest_name(product)}"


def prepared_path(results: str, exposure: str) -> str:
    """Path of an exposure on which the steps before regrouping were run."""
    return f"{results}/{PREPARED}/{exposure}.fits"


def fetched_path(results: str, file: str) -> str:
    """Path of an exposure or association that the settings name by its address."""
    return f"{results}/{FETCHED}/{file}"


def survey_path(results: str, association: str) -> str:
    """Path of what the exposures of an association have in common, with which they are prepared."""
    return f"{results}/{PREPARED}/common/{association}.json"


def background_path(results: str, association: str) -> str:
    """Path of the combined background of an association."""
    return f"{results}/{PREPARED}/common/{association}_masterbg1d.fits"


def spectrum_path(results: str, product: str, kind: str) -> str:
    """Path of a spectrum of a product, or of what is made on the way: ``x1d``, ``s2d``, ..."""
    return f"{results}/{SPEC3}/{product}_{kind}.fits"


def stack_path(results: str, family: str) -> str:
    """Path of the spectra of all sources of a family of slits, in one file.

    Not beside the spectra: viewers that open a folder, such as Mosviz, pair each x1d with an s2d.
    """
    return f"{results}/{STACKS}/{family}_x1d.fits"


def spectrum_digest_path(results: str, product: str) -> str:
    """Path of the digest of the product that a spectrum was extracted from."""
    return f"{results}/{SPEC3}/digests/{product}.txt"


def references_path(results: str, family: str) -> str:
    """Path of what CRDS has for a family of products."""
    return f"{results}/{REFERENCES}/{family}.json"


def quicklook_path(results: str, product: str) -> str:
    """Path of the picture of a product."""
    return f"{results}/{QUICKLOOKS}/{product}.png"


def ecsv_path(table: str) -> str:
    """Path of the source list in ECSV, beside the one in TSV."""
    return f"{table.removesuffix('.tsv')}.ecsv"


def product_path(results: str, product: str) -> str:
    """Path of a product."""
    return f"{results}/{PRODUCTS}/{product}{CAL}"
