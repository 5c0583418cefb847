"""Simulate exposures to try the workflow."""

# Only if it is requested: the user may have exposures with these names.
if config["demo"]:

    rule simulate_exposures:
        output:
            exposures=SIMULATED,
        log:
            "logs/simulate_exposures.log",
        conda:
            "../envs/verify.yaml"
        resources:
            mem_mb=1000,
            runtime=10,
        params:
            command=command("simulate_exposures"),
            folder=lambda wildcards, output: os.path.dirname(output.exposures[0]),
        message:
            "Simulating an example: five sources, three nods"
        shell:
            "{params.command} {params.folder} > {log:q} 2>&1"
