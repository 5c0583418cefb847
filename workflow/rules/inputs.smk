"""Functions that give rules their input files."""


def failure_record(wildcards, resources):
    """Option of a gather that must not fail, as its group would lose the other products.

    Profiles of clusters request it by a resource. Recorded failures fail the run at its end, in the
    hooks, which do not run if this workflow is a module of another.
    """
    if resources.get("record_failure") and not IS_MODULE:
        return f"--record-failure {RESULTS}/{names.FAILURES}/{PRODUCT.format(**wildcards)}.txt"
    return ""


def spectrum_failure_record(wildcards):
    """Option of an extraction that must not fail, as the table of all sources is made without it."""
    if IS_MODULE:
        return ""
    folder = f"{RESULTS}/{names.FAILURES}/{names.SPEC3}"
    return f"--record-failure {folder}/{PRODUCT.format(**wildcards)}.txt"


def exposure_file(wildcards):
    """File of an exposure: the user's, and therefore without the prefix of a module."""
    return local(EXPOSURES[wildcards.exposure])


def association_files():
    """Files of the associations, also the user's."""
    return [local(association.path) for association in ASSOCIATIONS]


def association_file(wildcards):
    """File of an association by its name."""
    return local(NAMED_ASSOCIATIONS[wildcards.association].path)


def member_files(wildcards):
    """Exposures of an association, and spectra of its background."""
    return [local(path) for path in NAMED_ASSOCIATIONS[wildcards.association].members]


def member_file(wildcards):
    """File of an exposure that is prepared; index and gather have what becomes of it."""
    return local(MEMBERS[wildcards.exposure].path)


def survey_of(wildcards):
    """What the association of an exposure has in common."""
    return survey_path("results", MEMBERS[wildcards.exposure].association)


def background_of(wildcards):
    """Combined background of the association of an exposure, if it has any."""
    name = MEMBERS[wildcards.exposure].association
    return [background_path("results", name)] if NAMED_ASSOCIATIONS[name].background else []


def table_files(*keys):
    """Files of the user's tables."""
    return [local(path) for key in keys for path in TABLES[key]]


def index_files(wildcards):
    """Indices of all exposures."""
    if not EXPOSURES:
        refuse(f"no exposures: {advice_on_settings(RESULTS, 'config/config.yaml')}")
    force_outdated()
    return [index_path("results", name) for name in EXPOSURES]


@cache
def products_in(table, state):
    """Rows of the source list by product, read once for each state of the table."""
    return read_sources(table)


def products():
    """Rows of the products, by name, which the checkpoint has listed.

    With --batch, Snakemake divides the inputs of a rule before any job runs, so the list has to be
    there.
    """
    if is_divided() and not is_listed():
        refuse(
            "--batch divides the products of a source list, and there is none of these exposures "
            f"and settings, or it is outdated; make {in_results(TABLE)} first (docs/how-to/rerun.md)"
        )
    if RESULTS not in LISTINGS:
        refuse("a rule is used without the others; say 'use rule * from' this workflow before it")
    table = in_results(TABLE) if is_divided() else str(LISTINGS[RESULTS].get().output.table)
    return products_in(table, file_state(table))


def product_files(wildcards):
    """Files of all products."""
    return [product_path("results", name) for name in products()]


def spectrum_files(wildcards):
    """Spectra of the products of the classes that are wanted, and tables of those of grisms."""
    wanted = spectra_wanted()
    families = {row["family"] for row in wanted.values() if is_grism(row["exposure_type"])}
    tables = [(family, kind) for family in sorted(families) for kind in names.GRISM_SPECTRA]
    return [spectrum_path("results", *one) for one in [*((n, "x1d") for n in wanted), *tables]]


def spectra_wanted():
    """Rows of the products of the classes whose spectra are wanted."""
    kinds = config["spec3_classes"]
    return {name: row for name, row in products().items() if row["class"] in kinds}


def references_of(wildcards):
    """What CRDS has for the family of a product."""
    return references_path("results", row_of(wildcards)["family"])


def all_references(wildcards):
    """What CRDS has for the families of all products whose spectra are wanted."""
    families = sorted({row["family"] for row in spectra_wanted().values()})
    return [references_path("results", family) for family in families]


def override_files():
    """Files that parameters name in place of those of CRDS."""
    given = (pair for own in config["spec3"].values() for pair in own.items())
    paths = (os.path.expanduser(str(v)) for k, v in given if k.startswith("override_"))
    return [path for path in paths if os.path.isfile(path)]


def crds_options():
    """Options that say where CRDS is."""
    keys = ("crds_path", "crds_server")
    given = ((key.replace("_", "-"), config[key]) for key in keys)
    return shlex.join(f"--{key}={os.path.expanduser(value)}" for key, value in given if value)


def family_members(wildcards):
    """Products of a family of a grism, whose spectra are wanted."""
    wanted = [
        name
        for name, row in spectra_wanted().items()
        if row["family"] == wildcards.family and is_grism(row["exposure_type"])
    ]
    if not wanted:
        refuse(
            f"{wildcards.family}: no source of a grism in it is wanted; see "
            f"{RESULTS}/{names.SOURCES}"
        )
    return wanted


def family_products(wildcards):
    """Products of a family of a grism."""
    return [product_path("results", name) for name in family_members(wildcards)]


def family_spectra(wildcards):
    """Spectra of the sources of a family of a grism."""
    return [spectrum_path("results", name, "x1d") for name in family_members(wildcards)]


def batch_of(size):
    """Input function: products of a batch, of so many."""

    def files(wildcards):
        first = int(wildcards.batch) * size
        return product_files(wildcards)[first : first + size]

    return files


def all_batches(folder, size):
    """Input function: what is made of all batches of so many products."""

    def files(wildcards):
        return [f"{folder}/{number}.jsonl" for number in range(-(-len(products()) // size))]

    return files


def fingerprint_files(wildcards):
    """Fingerprints of the exposures that were not skipped."""
    products()
    skipped = {row["exposure"] for row in read_table(f"{RESULTS}/{names.SKIPPED}")}
    return [f"{FINGERPRINTS}/{name}.jsonl" for name in EXPOSURES if name not in skipped]


def manifest_of(wildcards):
    """Manifest of a product, which the checkpoint writes."""
    return manifest_path("results", row_of(wildcards)["product"])


def row_of(wildcards):
    """Row of a product in the source list."""
    name = PRODUCT.format(**wildcards)
    if name in products():
        return products()[name]
    left_out = {row["product"]: row["reason"] for row in read_table(f"{RESULTS}/{names.LEFT_OUT}")}
    if name in left_out:
        refuse(
            f"{name}: {left_out[name]}; to make it, change the settings 'sources', 'catalog', "
            "'exclude' or 'min_exposures'"
        )
    hint = did_you_mean(name, products())
    refuse(f"{name}: the exposures have no such source{hint}; see {RESULTS}/{names.SOURCES}")
