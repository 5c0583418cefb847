"""Functions that the rules for quick looks and the report share."""

#: The configuration of the run, for the report.
CONFIGURATION = remember("report", f"{json.dumps(config, indent=1, default=str)}\n")


def all_quicklooks(wildcards):
    """Quick looks of all products."""
    return [quicklook_path("results", name) for name in products()]


def wanted_quicklooks(wildcards):
    """Quick looks that every run makes."""
    return all_quicklooks(wildcards) if config["quicklook"] else []


def shown_quicklooks(wildcards):
    """Quick looks that the report shows: existing ones are updated."""
    if config["quicklook"]:
        return all_quicklooks(wildcards)
    there = names_in(f"{RESULTS}/{names.QUICKLOOKS}")
    return [path for path in all_quicklooks(wildcards) if os.path.basename(path) in there]


def verdict_state(wildcards):
    """State of the verdicts: the report shows existing ones, but does not make them."""
    return file_state(f"{RESULTS}/{names.VERIFICATION}")


def spectrum_state(wildcards):
    """State of the spectrum of a product: pictures show existing ones, but do not make them."""
    return file_state(spectrum_path(RESULTS, PRODUCT.format(**wildcards), "x1d"))


def spectra_state(wildcards):
    """State of all spectra, as `spectrum_state`."""
    paths = [spectrum_path(RESULTS, name, "x1d") for name in products()]
    states = {path: state for path in paths if (state := file_state(path))}
    return hashlib.sha256(json.dumps(states, sort_keys=True).encode()).hexdigest()[:16]


def images_of_each(wildcards):
    """How many images of each product the report can have, and how wide; a page is to stay small."""
    many = len(products()) > 600
    return "--images 1 --width 128" if many else "--images 6 --width 256"
