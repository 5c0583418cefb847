"""Write the report of the run, as one page."""


rule write_report:
    # Products and quick looks are inputs only to be made first: few of their bytes are read.
    input:
        products=product_files,
        quicklooks=shown_quicklooks,
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
        format=FORMAT,
    message:
        "Writing {output.report}"
    shell:
        "{params.command} {output.report:q} --request {input.request:q} "
        "--configuration {input.configuration:q} 2> {log:q}"


rule report:
    input:
        rules.write_report.output.report,
