"""Each exposure is read once: where the bytes of its slits lie, and what they are."""


rule index_exposure:
    input:
        exposure=exposure_file,
    output:
        index=f"{INDICES}/{{exposure}}.jsonl",
    log:
        "logs/index_exposure/{exposure}.log",
    wildcard_constraints:
        exposure="[A-Za-z0-9][A-Za-z0-9_.+-]*",
    conda:
        "../envs/exp_to_source.yaml"
    resources:
        mem_mb=500,
    params:
        command=command("index_exposure", options=f"--on-bad-exposure={config['on_bad_exposure']}"),
        format=FORMAT,
    message:
        "Indexing {wildcards.exposure}"
    shell:
        "{params.command} {input.exposure:q} {output.index:q} 2> {log:q}"
