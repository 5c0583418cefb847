"""What the pipeline does to exposures before it regroups them, with the installed jwst package."""

#: Associations of exposures that are prepared.
NAMED_ASSOCIATIONS = {a.name: a for a in ASSOCIATIONS} if MEMBERS else {}


rule survey_association:
    # What concerns all of its exposures, such as the mean position of a moving target.
    input:
        association=association_file,
        members=member_files,
    output:
        found=survey_path("results", "{association}"),
    log:
        "logs/survey_association/{association}.log",
    wildcard_constraints:
        association=one_of(NAMED_ASSOCIATIONS),
    conda:
        "../envs/verify.yaml"
    resources:
        mem_mb=1000,
    params:
        command=command("prepare_exposures", options="--fork"),
        task="survey",
    message:
        "Looking through the exposures of {input.association}"
    shell:
        "{params.command} {params.task} {input.association:q} {output.found:q} > {log:q} 2>&1"


use rule survey_association as combine_background with:
    output:
        found=background_path("results", "{association}"),
    log:
        "logs/combine_background/{association}.log",
    params:
        command=command("prepare_exposures", options="--fork"),
        task="background",
    message:
        "Combining the background of {input.association}"


rule prepare_exposure:
    # assign_mtwcs, master_background. It is indexed in the exposure's place.
    input:
        exposure=member_file,
        survey=survey_of,
        background=background_of,
    output:
        exposure=prepared_path("results", "{exposure}"),
    log:
        "logs/prepare_exposure/{exposure}.log",
    wildcard_constraints:
        exposure=one_of(MEMBERS),
    conda:
        "../envs/verify.yaml"
    resources:
        mem_mb=lambda wildcards, input, attempt: int(500 + 4 * input.size_mb) * attempt,
        runtime=lambda wildcards, input, attempt: int(5 + input.size_mb / 100) * attempt,
    params:
        command=command("prepare_exposures", options="--fork"),
    message:
        "Preparing {input.exposure}"
    shell:
        "{params.command} prepare {input.exposure:q} {output.exposure:q} --survey {input.survey:q} "
        "--background {input.background:q} --log {log:q} > {log:q} 2>&1"
