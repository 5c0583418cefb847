"""Measure the products; write the report of the run, as one page, and the catalogue of sources."""


rule measure_products:
    # In batches, as a product takes less time than the start of a job.
    input:
        products=INPUTS.batch(MEASURED_BATCH),
    output:
        measured=f"{MEASURED}/{{batch}}.jsonl",
    log:
        "logs/measure_products/{batch}.log",
    wildcard_constraints:
        batch=BATCH,
    conda:
        "../envs/look.yaml"
    resources:
        mem_mb=500,
        runtime=20,
    params:
        results=lambda wildcards: RESULTS,
        # A page of many products is to stay small.
        images=lambda wildcards: "1 --width 128" if len(INPUTS.rows()) > 600 else "6 --width 256",
        format=FORMAT,
    message:
        "Measuring batch {wildcards.batch} of the products for the report"
    shell:
        "exp-to-source measure {output.measured:q} --products {input.products:q} "
        "--results {params.results:q} --images {params.images} 2> {log:q}"


rule write_report:
    # Products and quick looks are inputs only to be made first: few of their bytes are read.
    input:
        products=INPUTS.products,
        quicklooks=INPUTS.shown_quicklooks,
        measured=INPUTS.all_batches(MEASURED, MEASURED_BATCH),
        table=TABLE,
    output:
        report=report(
            f"results/{names.REPORT}",
            caption="../report/report.rst",
            category="Sources",
            labels={"what": "Coverage, sources, problems"},
        ),
    log:
        "logs/write_report.log",
    conda:
        "../envs/look.yaml"
    resources:
        mem_mb=1000,
    params:
        run_settings=SETTINGS,
        products=INPUTS.products_trigger,
        shown=INPUTS.report_trigger,
        # Existing spectra and pictures are shown, but not made.
        spectra=INPUTS.shown_trigger(names.spectrum_path, "x1d"),
        format=FORMAT,
    message:
        "Writing {output.report}"
    shell:
        "exp-to-source report {params.run_settings:q} {output.report:q} --measured {input.measured:q} "
        "2> {log:q}"


rule report:
    input:
        rules.write_report.output.report,


rule write_catalog:
    input:
        products=INPUTS.products,
        measured=INPUTS.all_batches(MEASURED, MEASURED_BATCH),
        table=TABLE,
    output:
        catalog=f"results/{names.CATALOG}",
    log:
        "logs/write_catalog.log",
    conda:
        "../envs/look.yaml"
    resources:
        mem_mb=500,
    params:
        products=INPUTS.products_trigger,
        # Existing spectra and pictures are listed, but not made.
        spectra=INPUTS.shown_trigger(names.spectrum_path, "x1d"),
        pictures=INPUTS.shown_trigger(names.quicklook_path),
        format=FORMAT,
    message:
        "Writing {output.catalog}"
    shell:
        "exp-to-source catalog {input.table:q} {output.catalog:q} --measured {input.measured:q} "
        "2> {log:q}"


rule catalog:
    input:
        rules.write_catalog.output.catalog,
