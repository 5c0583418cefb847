"""Group slits by source, and name products."""


checkpoint list_sources:
    # The manifests are not declared: each is an input of its own product, and is rewritten only if its
    # content changes, so that only products that changed are rerun. It is not worth a cluster job.
    input:
        indices=INPUTS.indices,
        # Those that were lost are fetched again.
        fetched=lambda wildcards: list(map(local, INPUTS.run.fetched_exposures)),
        files=list(map(local, RUN.files)),
        # Then, the indices are those of all exposures.
        read=rules.read_associations.output.done if RUN.fetched_associations else [],
    output:
        # Not restored if nothing can be listed: as it is missing, the next run lists, without the
        # metadata that Snakemake then removed. The first output is what jobs wait for.
        settings=f"results/{names.SETTINGS}",
        # Updated: if nothing can be listed, Snakemake restores what it had.
        table=report(
            update(TABLE),
            caption="../report/sources.rst",
            category="Sources",
            labels={"what": "Table of sources"},
        ),
        ecsv=update(names.ecsv_path(TABLE)),
        exposures=update(f"results/{names.EXPOSURES}"),
        regions=update(f"results/{names.REGIONS}"),
    log:
        "logs/list_sources.log",
    localrule: True
    conda:
        # With astropy and scipy, for catalogues and places.
        "../envs/verify.yaml"
    params:
        # As a function of the output, it causes no rerun by itself: the trigger does.
        settings=lambda wildcards, output: INPUTS.run.settings.to_json(),
        trigger=lambda wildcards: INPUTS.run.list_trigger(),
        lost=INPUTS.lost_files,
        format=FORMAT,
    message:
        "Listing the sources of all exposures"
    script:
        "../scripts/list_sources.py"


if hasattr(checkpoints, "list_sources"):
    LISTINGS[RESULTS] = checkpoints.list_sources
    with exit_on_user_error():
        check_storage(str(rules.list_sources.output.table))


rule sources:
    input:
        table=TABLE,
        # What may be missing beside it.
        settings=rules.list_sources.output.settings,
        ecsv=rules.list_sources.output.ecsv,
        exposures=rules.list_sources.output.exposures,
        regions=rules.list_sources.output.regions,
    log:
        "logs/sources.log",
    localrule: True
    conda:
        "../envs/exp_to_source.yaml"
    message:
        "Printing {input.table}"
    shell:
        "exp-to-source sources {input.table:q} 2> {log:q}"
