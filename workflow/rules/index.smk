"""Index each exposure: read it once, and record the offsets of the bytes of its slits."""


rule index_exposure:
    input:
        exposure=exposure_file,
    output:
        index=INDEX,
    log:
        "logs/index_exposure/{exposure}.log",
    wildcard_constraints:
        exposure="[A-Za-z0-9][A-Za-z0-9_.+-]*",
    conda:
        "../envs/exp_to_source.yaml"
    resources:
        # Memory depends on the tree, at most a quarter of the file; time on the file system.
        mem_mb=lambda wildcards, input, attempt: int(500 + input.size_mb / 4) * attempt,
        runtime=lambda wildcards, input, attempt: int(5 + input.size_mb / 1000) * attempt,
    params:
        command=command("index_exposure", options=f"--on-bad-exposure={config['on_bad_exposure']}"),
        # A function of the output, too: see `command`.
        other_kind=lambda wildcards, output: "stop" if wildcards.exposure in NAMED else "pass",
        format=FORMAT,
    message:
        "Indexing {wildcards.exposure}"
    shell:
        "{params.command} --on-other-kind={params.other_kind} {input.exposure:q} {output.index:q} "
        "2> {log:q}"
