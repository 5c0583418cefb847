"""Simulate exposures to try the workflow."""

SIMULATED = []
# Only if it is requested: the user may have exposures with these names.
if config["demo"]:

    rule simulate_exposures:
        output:
            exposures=[f"exposures/jw10006010001_03101_{n:05d}_nrs1_cal.fits" for n in (1, 2, 3)],
        log:
            "logs/simulate_exposures.log",
        conda:
            "../envs/verify.yaml"
        resources:
            mem_mb=1000,
            runtime=10,
        params:
            folder=lambda wildcards, output: os.path.dirname(output.exposures[0]),
        message:
            "Simulating an example: five sources, three nods"
        shell:
            "exp-to-source simulate --realistic {params.folder:q} > {log:q} 2>&1"

    SIMULATED = [str(path) for path in rules.simulate_exposures.output]
