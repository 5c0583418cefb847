"""The later steps of stage 3, source by source, as the installed jwst package has them."""

with exit_on_user_error("exp_to_source"):
    PARAMETERS = find_table("spec3_parameters", config["spec3_parameters"], written_in)
#: What spectra depend on besides their product and the files of CRDS.
ASKED = remember(
    "spectra",
    json.dumps(
        {
            # Of exposures that are prepared, nothing is left to be subtracted.
            "background": [
                os.path.basename(a.path)
                for a in ASSOCIATIONS
                if a.background and not config["prepare"]
            ],
            "context": config["crds_context"],
            # References may depend on them.
            "detectors": (
                [] if config["offline"] else sorted({get_detector(name) for name in EXPOSURES})
            ),
            "file": next(iter(PARAMETERS), None),
            "offline": config["offline"],
            "steps": config["spec3"],
        },
        sort_keys=True,
    ),
    files=content_digest([*PARAMETERS, *override_files()]),
)
#: The exposures in their order. A command line would not hold thousands.
ORDER = remember("order", "".join(f"{index_path(RESULTS, name)}\n" for name in EXPOSURES))
#: Names of associations may look like those of products, which are not these.
FAMILIES = one_of(sorted({group_name(association.template) for association in ASSOCIATIONS}))


rule find_references:
    # Of a family of products, once, before any of its sources; its jobs ask CRDS no more.
    input:
        request=ASKED,
        # It says what exposures there are; which of them changed makes no difference.
        table=ancient(TABLE),
    output:
        references=references_path("results", "{family}"),
    log:
        "logs/find_references/{family}.log",
    wildcard_constraints:
        family="[A-Za-z0-9][A-Za-z0-9_.+-]*",
    localrule: True
    conda:
        "../envs/verify.yaml"
    resources:
        mem_mb=500,
    params:
        command=command("find_references"),
        # As functions of the output, they make nothing again: they say where, not what.
        crds=lambda wildcards, output: crds_options(),
    message:
        "Looking up references and parameters of {output.references}"
    shell:
        "{params.command} {input.request:q} {output.references:q} --table {input.table:q} "
        "{params.crds} 2> {log:q}"


rule extract_spectrum:
    # The EXP_TYPE of the product decides what else is written before the spectrum: _crf and _s2d of
    # slits, _c1d of grisms.
    input:
        product=CAL_PRODUCT,
        references=references_of,
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
        command=command("run_spec3"),
        folder=lambda wildcards, output: os.path.dirname(output.x1d),
        failure=spectrum_failure_record,
    message:
        "Extracting {output.x1d}"
    shell:
        "{params.command} {input.product:q} --fork --folder {params.folder:q} "
        "--references {input.references:q} {params.failure} --log {log:q} "
        "> {log:q} 2>&1"


rule combine_grism_spectra:
    # One table of all sources, as the pipeline writes it.
    input:
        spectra=family_spectra,
        # Of some, the footprint of their exposure is taken.
        products=family_products,
        table=TABLE,
        indices=index_files,
        order=ORDER,
        references=references_path("results", "{family}"),
    output:
        x1d=spectrum_path("results", "{family}", "x1d"),
        c1d=spectrum_path("results", "{family}", "c1d"),
    log:
        "logs/combine_grism_spectra/{family}.log",
    wildcard_constraints:
        family=rf"{FAMILIES}|(?!.*{PRODUCT_PARTS['source']})[A-Za-z0-9][A-Za-z0-9_.+-]*",
    conda:
        "../envs/verify.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        command=command("combine_spectra"),
        classes="".join(config["spec3_classes"]),
    message:
        "Putting the spectra of {output.x1d} together"
    shell:
        "{params.command} {output.x1d:q} {output.c1d:q} --fork --table {input.table:q} "
        "--classes {params.classes} --references {input.references:q} --indices @{input.order:q} "
        "> {log:q} 2>&1"


rule references:
    # Before jobs that have no network.
    input:
        references=all_references,


rule spec3:
    input:
        spectra=spectrum_files,
