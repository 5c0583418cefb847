"""Slits are grouped by source, and products are named."""


checkpoint list_sources:
    # The manifests are not declared: each is an input of its own product, and is rewritten only
    # where its content changes, so that only what changed is made again. Not worth a cluster job.
    input:
        request=REQUEST,
        indices=index_files,
        associations=[association.path for association in ASSOCIATIONS],
    output:
        table=TABLE,
    log:
        "logs/list_sources.log",
    localrule: True
    conda:
        "../envs/exp_to_source.yaml"
    resources:
        mem_mb=500,
    params:
        command=command("list_sources"),
        format=FORMAT,
    message:
        "Listing the sources of all exposures"
    shell:
        "{params.command} @{input.request:q} --table {output.table:q} 2> {log:q}"
