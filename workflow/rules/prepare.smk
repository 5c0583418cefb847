"""What the pipeline does to exposures before it regroups them, with the installed jwst package."""


rule survey_association:
    # What concerns all of its exposures, such as the mean position of a moving target.
    input:
        association=lambda wildcards: local(INPUTS.run.find_association(wildcards.association).path),
        members=lambda wildcards: [
            local(path) for path in INPUTS.run.find_association(wildcards.association).members
        ],
    output:
        survey=names.survey_path("results", "{association}"),
    log:
        "logs/survey_association/{association}.log",
    wildcard_constraints:
        association=one_of({Path(path).stem for path in RUN.settings.associations}),
    conda:
        "../envs/spec3.yaml"
    resources:
        mem_mb=1000,
    params:
        task="survey",
        sources=lambda wildcards: INPUTS.run.association_trigger(wildcards.association),
    message:
        "Looking through the exposures of {input.association}"
    shell:
        "exp-to-source prepare {params.task} {input.association:q} {output:q} --fork "
        "> {log:q} 2>&1"


use rule survey_association as combine_background with:
    output:
        background=names.background_path("results", "{association}"),
    log:
        "logs/combine_background/{association}.log",
    params:
        task="background",
        sources=lambda wildcards: INPUTS.run.association_trigger(wildcards.association),
    message:
        "Combining the background of {input.association}"


rule prepare_exposure:
    # assign_mtwcs, master_background. It is indexed in the exposure's place.
    input:
        exposure=lambda wildcards: local(INPUTS.run.members[wildcards.exposure].path),
        survey=lambda wildcards: names.survey_path("results", INPUTS.association(wildcards).name),
        background=INPUTS.background,
    output:
        exposure=names.prepared_path("results", "{exposure}"),
    log:
        "logs/prepare_exposure/{exposure}.log",
    wildcard_constraints:
        exposure=one_of(RUN.members) if RUN.is_complete else EXPOSURE,
    conda:
        "../envs/spec3.yaml"
    resources:
        mem_mb=lambda wildcards, input, attempt: int(500 + 4 * input.size_mb) * attempt,
        runtime=lambda wildcards, input, attempt: int(5 + input.size_mb / 100) * attempt,
    params:
        sources=lambda wildcards: INPUTS.run.association_trigger(INPUTS.association(wildcards).name),
    message:
        "Preparing {input.exposure}"
    shell:
        "exp-to-source prepare exposure {input.exposure:q} {output.exposure:q} "
        "--summary {input.survey:q} --background {input.background:q} --log {log:q} --fork "
        "> {log:q} 2>&1"
