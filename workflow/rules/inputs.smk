"""Input files of rules, and values for their params."""

with exit_on_user_error("exp-to-source"):
    RUN = resolve_run(
        config,
        RESULTS,
        SIMULATED,
        IS_MODULE,
        lambda key: locate_setting(config, [key], [DEFAULTS, *OWN_SETTINGS], sys.argv),
    )
    SPECTRA = RUN.spectra_trigger()
#: Names of associations may look like those of products, which are not these.
FAMILIES = one_of(sorted(RUN.families))
#: Whether the run is one of several batches: Snakemake divides inputs before any job runs.
IS_DIVIDED = any(word.startswith("--bat") for word in sys.argv)


def or_refuse(find, *arguments):
    """Return what a function finds; end the run with one sentence if it cannot."""
    try:
        return find(*arguments)
    except (InputError, OSError) as error:
        SESSION.refuse(f"exp-to-source: {format_error(error)}")


def exposure_file(wildcards):
    """File of an exposure: the user's, and therefore without the prefix of a module."""
    return local(RUN.exposures[wildcards.exposure])


def index_files(wildcards):
    """Indices of all exposures."""
    or_refuse(RUN.check_exposures)
    return [index_path("results", name) for name in RUN.exposures]


def exposure_trigger(wildcards):
    """State of an exposure. In a module, where other rules may make it, only of one replaced."""
    if IS_MODULE and not RUN.is_replaced(wildcards.exposure):
        return ""
    return RUN.exposure_trigger(wildcards.exposure)


def rows(classes=None):
    """Rows of the products in the source list by name; the checkpoint is run first."""
    if RESULTS not in LISTINGS:
        SESSION.refuse(
            "exp-to-source: a rule is used without the others; write 'use rule * from' this "
            "workflow before it"
        )
    if IS_DIVIDED:
        table, check = f"{RESULTS}/{names.SOURCES}", RUN.check_divisible
    else:
        table = str(LISTINGS[RESULTS].get().output.table)
        # The processes of jobs have the option.
        check = None if "--mode" in sys.argv else RUN.check_listed
    found = or_refuse(read_rows, table, file_state(table), check)
    return found if classes is None else select_classes(found, classes)


def row(wildcards):
    """Row of a product in the source list."""
    return or_refuse(find_row, rows(), PRODUCT.format(**wildcards), RESULTS)


def product_trigger(wildcards):
    """Digest of a product's manifest: everything made from the product is rerun if it changes."""
    return row(wildcards)["digest"]


#: Empty files that a killed run left in the place of what could not be made.
EMPTY = {*empty_files(RESULTS)}


def all_products_trigger(wildcards):
    """Digest of all products, as `product_trigger`."""
    return rows_trigger(rows())


def product_files(wildcards):
    """Files of all products."""
    return [product_path("results", name) for name in rows()]


def manifest_of(wildcards):
    """Manifest of a product, which the checkpoint writes."""
    return manifest_path("results", row(wildcards)["product"])


@cache
def divide(state, size):
    """Batches of all products by their names, once for each state of the source list."""
    return batches(rows(), size)


def all_batches_of(size):
    """Batches of all products, as `divide`; the checkpoint is run first."""
    rows()
    return divide(file_state(f"{RESULTS}/{names.SOURCES}"), size)


def batch_of(size):
    """Input function: products of a batch, of so many."""

    def products(wildcards):
        names = all_batches_of(size).get(wildcards.batch)
        if names is None:
            SESSION.refuse(f"exp-to-source: {wildcards.batch}: is a batch of other products")
        return [product_path("results", name) for name in names]

    return products


def all_batches(folder, size):
    """Input function: what is made of all batches of so many products."""
    return lambda wildcards: [f"{folder}/{batch}.jsonl" for batch in all_batches_of(size)]


def quicklook_files(wildcards=None):
    """Quick looks of all products."""
    return [quicklook_path("results", name) for name in rows()]


def shown_quicklooks(wildcards):
    """Quick looks that the report shows: existing ones are updated."""
    existing = names_in(f"{RESULTS}/{names.QUICKLOOKS}")
    paths = quicklook_files()
    return [p for p in paths if config["quicklook"] or os.path.basename(p) in existing]


def spectrum_state(product):
    """State of the spectrum of a product: it is shown if it exists, but not made for that."""
    return file_trigger(spectrum_path(RESULTS, product, "x1d"))


def fingerprint_files(wildcards):
    """Fingerprints of the exposures that were not skipped."""
    rows()
    skipped = {row["exposure"] for row in read_table(f"{RESULTS}/{names.SKIPPED}")}
    return [f"{FINGERPRINTS}/{name}.jsonl" for name in RUN.exposures if name not in skipped]


def requested_spectra():
    """Rows of the products of the classes whose spectra are requested."""
    return rows(config["spec3_classes"])


def family_rows(wildcards):
    """Rows of the products of a family of a grism, whose spectra are requested."""
    return or_refuse(select_family, requested_spectra(), wildcards.family, RESULTS)


def association_of(wildcards):
    """Association of an exposure that is prepared."""
    return RUN.find_association(RUN.members[wildcards.exposure].association)


def background_of(wildcards):
    """Combined background of the association of an exposure, if it has any."""
    association = association_of(wildcards)
    return [background_path("results", association.name)] if association.background else []


def failure_option(folder, wildcards):
    """Option of a job that must not fail; its record fails the run at its end, in the hooks.

    Snakemake does not run the hooks of modules.
    """
    path = os.path.join(RESULTS, names.FAILURES, folder, f"{PRODUCT.format(**wildcards)}.txt")
    return "" if IS_MODULE else f"--record-failure {path}"


def crds_options(wildcards, output):
    """Options with the place of CRDS; as a function of the output, it causes no rerun."""
    values = {key: config[f"crds_{key}"] for key in ("path", "server")}
    options = ((k, os.path.expanduser(value)) for k, value in values.items() if value)
    return shlex.join(f"--crds-{key}={value}" for key, value in options)
