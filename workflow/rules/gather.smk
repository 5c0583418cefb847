"""Each source is gathered from all exposures into its own product."""


rule gather_source:
    input:
        manifest=manifest_of,
    output:
        product=CAL_PRODUCT,
    log:
        f"logs/gather_source/{PRODUCT}.log",
    wildcard_constraints:
        **PRODUCT_PARTS,
    conda:
        "../envs/exp_to_source.yaml"
    resources:
        # Figures: functions would cost more time than the rest, with thousands of sources.
        mem_mb=100,
        runtime=1,
    params:
        # Without site-packages: the start of Python is most of the work.
        command=command("gather_source", "-S -E"),
        format=FORMAT,
        failure=failure_record,
    message:
        "Gathering {output.product}"
    shell:
        "{params.command} {input.manifest:q} {output.product:q} {params.failure} 2> {log:q}"
