"""The later steps of stage 3, source by source, as the installed jwst package has them."""

#: Names of associations may look like those of products, which are not these.
FAMILIES = one_of(sorted(RUN.families))
with exit_on_user_error("exp-to-source"):
    SPECTRA = RUN.spectra_trigger()


def requested_spectra(wildcards=None):
    """Rows of the products of the classes whose spectra are requested."""
    return rows(config["spec3_classes"])


def family_rows(wildcards):
    """Rows of the products of a family of a grism, whose spectra are requested."""
    return or_refuse(select_family, requested_spectra(), wildcards.family, RESULTS)


def spectrum_failure(wildcards):
    """Option of an extraction that must not fail, as the table of all sources is made without it."""
    if IS_MODULE:
        return ""
    folder = f"{RESULTS}/{names.FAILURES}/{names.SPEC3}"
    return f"--record-failure {folder}/{PRODUCT.format(**wildcards)}.txt"


def crds_options(wildcards, output):
    """Options with the place of CRDS; as a function of the output, it causes no rerun."""
    values = {key: config[f"crds_{key}"] for key in ("path", "server")}
    options = ((k, os.path.expanduser(value)) for k, value in values.items() if value)
    return shlex.join(f"--crds-{key}={value}" for key, value in options)


rule find_references:
    # Of a family of products, once, before any of its sources, whose jobs need no network then.
    input:
        # Only for the names of exposures.
        table=ancient(TABLE),
    output:
        references=references_path("results", "{family}"),
    log:
        "logs/find_references/{family}.log",
    wildcard_constraints:
        family=EXPOSURE,
    localrule: True
    conda:
        "../envs/verify.yaml"
    resources:
        mem_mb=500,
    params:
        settings=SPECTRA,
        crds=crds_options,
    message:
        "Looking up references and parameters of {output.references}"
    shell:
        "{EXP_TO_SOURCE} references {SETTINGS:q} {output.references:q} "
        "--table {input.table:q} {params.crds} 2> {log:q}"


rule extract_spectrum:
    # The EXP_TYPE of the product decides what else is written before the spectrum: _crf and _s2d of
    # slits, _c1d of grisms.
    input:
        product=CAL_PRODUCT,
        references=lambda wildcards: references_path("results", row(wildcards)["family"]),
    output:
        x1d=spectrum_path("results", PRODUCT, "x1d"),
    log:
        f"logs/extract_spectrum/{PRODUCT}.log",
    wildcard_constraints:
        **PRODUCT_PARTS
        | {"association": rf"(?!(?:{FAMILIES})_x1d\.fits){PRODUCT_PARTS['association']}"},
    conda:
        "../envs/verify.yaml"
    resources:
        # Measured: 270 MB and twice the product; 17 s for 82 MB. Snakemake of a group adds its own.
        mem_mb=lambda wildcards, input, attempt: int(500 + 4 * input.size_mb) * attempt,
        runtime=lambda wildcards, input, attempt: int(5 + input.size_mb / 10) * attempt,
    params:
        digest=product_trigger,
        settings=SPECTRA,
        folder=lambda wildcards, output: os.path.dirname(output.x1d),
        failure=spectrum_failure,
    message:
        "Extracting {output.x1d}"
    shell:
        "{EXP_TO_SOURCE} spec3 {input.product:q} --folder {params.folder:q} "
        "--references {input.references:q} --digest {params.digest} {params.failure} "
        "--log {log:q} --fork > {log:q} 2>&1"


rule combine_grism_spectra:
    # One table of all sources, as the pipeline writes it.
    input:
        spectra=lambda wildcards: [
            spectrum_path("results", name, "x1d") for name in family_rows(wildcards)
        ],
        # Of some, the footprint of their exposure is taken.
        products=lambda wildcards: [
            product_path("results", name) for name in family_rows(wildcards)
        ],
        table=TABLE,
        indices=index_files,
        references=references_path("results", "{family}"),
    output:
        x1d=spectrum_path("results", "{family}", "x1d"),
        c1d=spectrum_path("results", "{family}", "c1d"),
    log:
        "logs/combine_grism_spectra/{family}.log",
    wildcard_constraints:
        family=rf"{FAMILIES}|(?!.*{PRODUCT_PARTS['source']}){EXPOSURE}",
    conda:
        "../envs/verify.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        products=lambda wildcards: rows_trigger(family_rows(wildcards)),
        settings=SPECTRA,
    message:
        "Combining the spectra of {output.x1d}"
    shell:
        "{EXP_TO_SOURCE} combine {SETTINGS:q} {output.x1d:q} {output.c1d:q} "
        "--table {input.table:q} --references {input.references:q} --fork > {log:q} 2>&1"


rule references:
    # Before jobs that have no network.
    input:
        references=lambda wildcards: sorted(
            {references_path("results", row["family"]) for row in requested_spectra().values()}
        ),


rule spec3:
    input:
        spectra=lambda wildcards: spectrum_paths(requested_spectra()),
