"""Gather each source from all exposures into its own product."""


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
        # Constants: with thousands of sources, functions would take more time than everything else.
        mem_mb=100,
        runtime=1,
    params:
        # Without site-packages: the start of Python takes most of the time.
        command=command("gather_source", "-S -E"),
        format=FORMAT,
        failure=failure_record,
    message:
        "Gathering {output.product}"
    shell:
        "{params.command} {input.manifest:q} {output.product:q} {params.failure} 2> {log:q}"
