"""Gather each source from all exposures into its own product."""


def gather_failure(wildcards, resources):
    """Option of a gather that must not fail, as its group would lose the other products.

    Profiles of clusters request it by a resource. Recorded failures fail the run at its end, in the
    hooks, which do not run if this workflow is a module of another.
    """
    if resources.get("record_failure") and not IS_MODULE:
        return f"--record-failure {RESULTS}/{names.FAILURES}/{PRODUCT.format(**wildcards)}.txt"
    return ""


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
        digest=product_trigger,
        format=FORMAT,
        failure=gather_failure,
    message:
        "Gathering {output.product}"
    shell:
        "{GATHER} {input.manifest:q} {output.product:q} {params.failure} 2> {log:q}"
