"""The later steps of stage 3, source by source, as the installed jwst package has them."""

with told_in_a_sentence("exp_to_source"):
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
                [] if config["offline"] else sorted({detector_of(name) for name in EXPOSURES})
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
SLIT_INSTRUMENTS, GRISM_INSTRUMENTS = (
    "|".join(sorted({m.instrument.lower() for m in MODES.values() if m.has_slits is slits}))
    for slits in (True, False)
)


rule find_references:
    # Of a family of products, once, before any of its sources; its jobs ask CRDS no more.
    input:
        request=ASKED,
        # It says what exposures there are; which of them changed makes no difference.
        table=ancient(TABLE),
    output:
        references=references_path("results", FAMILY),
    log:
        f"logs/find_references/{FAMILY}.log",
    wildcard_constraints:
        **FAMILY_PARTS,
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


rule extract_slit_spectrum:
    # outlier_detection, resample_spec, extract_1d.
    input:
        product=CAL_PRODUCT,
        references=references_of,
    output:
        crf=spectrum_path("results", PRODUCT, "crf"),
        s2d=spectrum_path("results", PRODUCT, "s2d"),
        x1d=spectrum_path("results", PRODUCT, "x1d"),
    log:
        f"logs/extract_slit_spectrum/{PRODUCT}.log",
    wildcard_constraints:
        **PRODUCT_PARTS | {"instrument": SLIT_INSTRUMENTS},
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


use rule extract_slit_spectrum as extract_grism_spectrum with:
    # extract_1d, combine_1d.
    output:
        x1d=spectrum_path("results", PRODUCT, "x1d"),
        c1d=spectrum_path("results", PRODUCT, "c1d"),
    log:
        f"logs/extract_grism_spectrum/{PRODUCT}.log",
    wildcard_constraints:
        **PRODUCT_PARTS | {"instrument": GRISM_INSTRUMENTS},


rule combine_grism_spectra:
    # One table of all sources, as the pipeline writes it.
    input:
        spectra=family_spectra,
        # Of some, the footprint of their exposure is taken.
        products=family_products,
        table=TABLE,
        indices=index_files,
        order=ORDER,
        references=references_path("results", FAMILY),
    output:
        x1d=spectrum_path("results", FAMILY, "x1d"),
        c1d=spectrum_path("results", FAMILY, "c1d"),
    log:
        f"logs/combine_grism_spectra/{FAMILY}.log",
    wildcard_constraints:
        **FAMILY_PARTS | {"instrument": GRISM_INSTRUMENTS},
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
