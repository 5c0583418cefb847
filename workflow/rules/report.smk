"""Write the report of the run, as one page."""


rule measure_products:
    # In batches, as a product takes less time than the start of a job.
    input:
        products=batch_of(MEASURED_BATCH),
    output:
        measured=f"{MEASURED}/{{batch}}.jsonl",
    log:
        "logs/measure_products/{batch}.log",
    wildcard_constraints:
        batch="[0-9]+",
    conda:
        "../envs/look.yaml"
    resources:
        mem_mb=500,
        runtime=20,
    params:
        command=command("measure_products"),
        images=images_of_each,
        results=lambda wildcards, output: os.path.dirname(os.path.dirname(output.measured)),
    message:
        "Measuring batch {wildcards.batch} of the products for the report"
    shell:
        "{params.command} {output.measured:q} --results {params.results:q} "
        "--products {input.products:q} {params.images} 2> {log:q}"


rule write_report:
    # Products and quick looks are inputs only to be made first: few of their bytes are read.
    input:
        products=product_files,
        quicklooks=shown_quicklooks,
        measured=all_batches(MEASURED, MEASURED_BATCH),
        table=TABLE,
        request=REQUEST,
        configuration=CONFIGURATION,
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
        command=command("write_report"),
        verdicts=verdict_state,
        spectra=spectra_state,
        format=FORMAT,
    message:
        "Writing {output.report}"
    shell:
        "{params.command} {output.report:q} --request {input.request:q} "
        "--configuration {input.configuration:q} --measured {input.measured:q} 2> {log:q}"


rule report:
    input:
        rules.write_report.output.report,
