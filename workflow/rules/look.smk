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
    return file_state(f"{RESULTS}/{names.PROOF}")


def spectrum_state(wildcards):
    """State of the spectrum of a product: pictures show existing ones, but do not make them."""
    return file_state(spectrum_path(RESULTS, PRODUCT.format(**wildcards), "x1d"))
