"""Gather each source from all exposures into its own product."""


rule gather_source:
    input:
        manifest=INPUTS.manifest,
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
        digest=INPUTS.product_trigger,
        empty=INPUTS.is_empty(names.product_path),
        format=FORMAT,
        # Profiles of clusters request it by a resource: its group would lose the other products.
        failure=lambda wildcards, resources: (
            INPUTS.failure_option(wildcards) if resources.get("record_failure") else ""
        ),
    message:
        "Gathering {output.product}"
    shell:
        "exp-to-source gather {input.manifest:q} {output.product:q} {params.digest} {params.failure} "
        "2> {log:q}"
