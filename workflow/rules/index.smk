"""Index each exposure: read it once, and record the offsets of the bytes of its slits."""


rule index_exposure:
    input:
        # The user's: without the prefix of a module.
        exposure=lambda wildcards: local(INPUTS.run.exposures[wildcards.exposure]),
    output:
        index=names.index_path("results", "{exposure}"),
    log:
        "logs/index_exposure/{exposure}.log",
    wildcard_constraints:
        exposure=EXPOSURE,
    conda:
        "../envs/exp_to_source.yaml"
    resources:
        # Memory depends on the tree, at most a quarter of the file; time on the file system.
        mem_mb=lambda wildcards, input, attempt: int(500 + input.size_mb / 4) * attempt,
        runtime=lambda wildcards, input, attempt: int(5 + input.size_mb / 1000) * attempt,
    params:
        source=INPUTS.exposure_trigger,
        bad=config["on_bad_exposure"],
        other=lambda wildcards: "stop" if wildcards.exposure in INPUTS.run.named else "pass",
        format=FORMAT,
    message:
        "Indexing {wildcards.exposure}"
    shell:
        "exp-to-source index {input.exposure:q} {output.index:q} --on-bad-exposure={params.bad} "
        "--on-other-kind={params.other} --state={params.source:q} 2> {log:q}"
