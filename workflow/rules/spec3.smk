"""The later steps of stage 3, source by source, as the installed jwst package has them."""


rule find_references:
    # Of a family of products, once, before any of its sources, whose jobs need no network then.
    input:
        # Only for the names of exposures.
        table=ancient(TABLE),
    output:
        references=names.references_path("results", "{family}"),
    log:
        "logs/find_references/{family}.log",
    wildcard_constraints:
        family=EXPOSURE,
    localrule: True
    conda:
        "../envs/spec3.yaml"
    params:
        run_settings=SETTINGS,
        settings=lambda wildcards: INPUTS.run.spectra_trigger(),
        crds=INPUTS.crds_options,
    message:
        "Looking up references and parameters of {output.references}"
    shell:
        "exp-to-source references {params.run_settings:q} {output.references:q} "
        "--table {input.table:q} {params.crds} 2> {log:q}"


rule extract_spectrum:
    # The EXP_TYPE of the product decides what else is written before the spectrum: _crf and _s2d of
    # slits, _c1d of grisms.
    input:
        product=CAL_PRODUCT,
        references=INPUTS.references,
    output:
        x1d=names.spectrum_path("results", PRODUCT, "x1d"),
    log:
        f"logs/extract_spectrum/{PRODUCT}.log",
    wildcard_constraints:
        **PRODUCT_PARTS
        | {"association": rf"(?!(?:{FAMILIES})_x1d\.fits){PRODUCT_PARTS['association']}"},
    conda:
        "../envs/spec3.yaml"
    resources:
        # Measured: 270 MB and twice the product; 17 s for 82 MB. Snakemake of a group adds its own.
        mem_mb=lambda wildcards, input, attempt: int(500 + 4 * input.size_mb) * attempt,
        # The same at each attempt: no option caps the sum that a group requests.
        runtime=lambda wildcards, input: int(5 + input.size_mb / 10),
    params:
        digest=INPUTS.product_trigger,
        settings=lambda wildcards: INPUTS.run.spectra_trigger(),
        empty=INPUTS.is_empty(names.spectrum_path, "x1d"),
        folder=lambda wildcards, output: os.path.dirname(output.x1d),
        # As the table of all sources is made without it.
        failure=lambda wildcards: INPUTS.failure_option(wildcards, names.SPEC3),
    message:
        "Extracting {output.x1d}"
    shell:
        "exp-to-source spec3 {input.product:q} --folder {params.folder:q} "
        "--references {input.references:q} --digest {params.digest} {params.failure} "
        "--log {log:q} --fork > {log:q} 2>&1"


rule combine_grism_spectra:
    # One table of all sources, as the pipeline writes it.
    input:
        spectra=INPUTS.family_files("grism", names.spectrum_path, "x1d"),
        # Of some, the footprint of their exposure is taken.
        products=INPUTS.family_files("grism", names.product_path),
        table=TABLE,
        indices=INPUTS.indices,
        references=names.references_path("results", "{family}"),
    output:
        x1d=names.spectrum_path("results", "{family}", "x1d"),
        c1d=names.spectrum_path("results", "{family}", "c1d"),
    log:
        "logs/combine_grism_spectra/{family}.log",
    wildcard_constraints:
        family=rf"{FAMILIES}|(?!.*{PRODUCT_PARTS['source']}){EXPOSURE}",
    conda:
        "../envs/spec3.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        run_settings=SETTINGS,
        products=INPUTS.family_trigger("grism"),
        order=lambda wildcards: digest(list(INPUTS.run.exposures)),
        settings=lambda wildcards: INPUTS.run.spectra_trigger(),
    message:
        "Combining the spectra of {output.x1d}"
    shell:
        "exp-to-source combine {params.run_settings:q} {output.x1d:q} {output.c1d:q} "
        "--table {input.table:q} --references {input.references:q} --fork > {log:q} 2>&1"


rule stack_slit_spectra:
    # As of grisms, all sources in one file.
    input:
        spectra=INPUTS.family_files("slit", names.spectrum_path, "x1d"),
        table=TABLE,
    output:
        spectra=names.stack_path("results", "{family}"),
    log:
        "logs/stack_slit_spectra/{family}.log",
    wildcard_constraints:
        family=EXPOSURE,
    localrule: True
    conda:
        "../envs/spec3.yaml"
    params:
        products=INPUTS.family_trigger("slit"),
        classes="".join(config["spec3_classes"]),
        format=FORMAT,
    message:
        "Stacking the spectra of {output.spectra}"
    shell:
        "exp-to-source stack {input.table:q} {output.spectra:q} --classes={params.classes} 2> {log:q}"


rule references:
    # Before jobs that have no network.
    input:
        references=INPUTS.all_references,


rule spec3:
    input:
        spectra=INPUTS.spectra,
