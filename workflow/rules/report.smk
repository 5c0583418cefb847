"""Write the report of the run, as one page."""


def shown_quicklooks(wildcards):
    """Quick looks that the report shows: existing ones are updated."""
    if config["quicklook"]:
        return all_quicklooks(wildcards)
    existing = names_in(f"{RESULTS}/{names.QUICKLOOKS}")
    return [path for path in all_quicklooks(wildcards) if os.path.basename(path) in existing]


def spectra_trigger(wildcards):
    """State of all spectra: the report shows existing ones, but does not make them."""
    return digest([file_state(spectrum_path(RESULTS, name, "x1d")) for name in rows()])


def verdict_trigger(wildcards):
    """State of the verdicts, likewise."""
    return str(file_state(f"{RESULTS}/{names.VERIFICATION}"))


rule measure_products:
    # In batches, as a product takes less time than the start of a job.
    input:
        products=batch_of(MEASURED_BATCH),
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
        # A page of many products is to stay small.
        images=lambda wildcards: "1 --width 128" if len(rows()) > 600 else "6 --width 256",
        format=FORMAT,
    message:
        "Measuring batch {wildcards.batch} of the products for the report"
    shell:
        "{EXP_TO_SOURCE} measure {output.measured:q} --products {input.products:q} "
        "--results {RESULTS:q} --images {params.images} 2> {log:q}"


rule write_report:
    # Products and quick looks are inputs only to be made first: few of their bytes are read.
    input:
        products=product_files,
        quicklooks=shown_quicklooks,
        measured=all_batches(MEASURED, MEASURED_BATCH),
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
        products=all_products_trigger,
        settings=lambda wildcards: digest(RUN.settings.values),
        verdicts=verdict_trigger,
        spectra=spectra_trigger,
        format=FORMAT,
    message:
        "Writing {output.report}"
    shell:
        "{EXP_TO_SOURCE} report {SETTINGS:q} {output.report:q} --measured {input.measured:q} "
        "2> {log:q}"


rule report:
    input:
        rules.write_report.output.report,
