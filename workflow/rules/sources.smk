"""Group slits by source, and name products."""


rule write_request:
    output:
        request=f"{REQUESTS}/{{request}}.txt",
    log:
        "logs/write_request/{request}.log",
    wildcard_constraints:
        request="[a-z]+-[0-9a-f]{16}",
    localrule: True
    conda:
        "../envs/exp_to_source.yaml"
    resources:
        mem_mb=100,
    params:
        text=text_of,
    message:
        "Keeping the settings in {output.request}"
    script:
        "../scripts/write_request.py"


with exit_on_user_error("exp_to_source"):
    check_storage(rules.write_request.output.request)


checkpoint list_sources:
    # The manifests are not declared: each is an input of its own product, and is rewritten only if its
    # content changes, so that only products that changed are made again. It is not worth a cluster job.
    input:
        request=REQUEST,
        indices=index_files,
        associations=association_files(),
        tables=table_files("catalog", "joins"),
    output:
        # First, as Snakemake looks for the first output before it resolves products. If a request is
        # new and one of its exposures is missing, Snakemake would accept an existing table.
        answered=touch(ANSWERED),
        # Updated: if nothing can be listed, Snakemake brings the table back that it had.
        table=report(
            update(TABLE),
            caption="../report/sources.rst",
            category="Sources",
            labels={"what": "Table of sources"},
        ),
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


if hasattr(checkpoints, "list_sources"):
    LISTINGS[RESULTS] = checkpoints.list_sources


rule sources:
    input:
        table=TABLE,
    log:
        "logs/sources.log",
    localrule: True
    conda:
        "../envs/exp_to_source.yaml"
    resources:
        mem_mb=100,
    params:
        command=command("show_sources"),
    message:
        "Printing {input.table}"
    shell:
        "{params.command} {input.table:q} 2> {log:q}"
