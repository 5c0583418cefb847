"""Verify products against their exposures, with code independent of the writer.

To repeat an earlier verification: --forcerun fingerprint_exposure.
"""


rule fingerprint_exposure:
    input:
        exposure=lambda wildcards: local(INPUTS.run.exposures[wildcards.exposure]),
    output:
        fingerprints=f"{FINGERPRINTS}/{{exposure}}.jsonl",
    log:
        "logs/fingerprint_exposure/{exposure}.log",
    wildcard_constraints:
        exposure=EXPOSURE,
    conda:
        "../envs/verify.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        source=lambda wildcards: INPUTS.run.exposure_trigger(wildcards.exposure),
        format=FORMAT,
    message:
        "Taking fingerprints of {wildcards.exposure}"
    shell:
        "exp-to-source fingerprint {input.exposure:q} {output.fingerprints:q} --fork 2> {log:q}"


rule verify_products:
    input:
        products=INPUTS.batch(VERIFIED_BATCH),
        fingerprints=INPUTS.fingerprints,
    output:
        verdicts=f"{VERDICTS}/{{batch}}.jsonl",
    log:
        "logs/verify_products/{batch}.log",
    wildcard_constraints:
        batch=BATCH,
    conda:
        "../envs/verify.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        run_settings=SETTINGS,
        results=lambda wildcards: RESULTS,
        settings=lambda wildcards: INPUTS.run.grouping_trigger(),
        format=FORMAT,
    message:
        "Verifying batch {wildcards.batch} of the products"
    shell:
        "exp-to-source verify {params.run_settings:q} {output.verdicts:q} "
        "--products {input.products:q} --results {params.results:q} --fork 2> {log:q}"


rule list_verdicts:
    input:
        verdicts=INPUTS.all_batches(VERDICTS, VERIFIED_BATCH),
        fingerprints=INPUTS.fingerprints,
        sources=TABLE,
    output:
        table=f"results/{names.VERIFICATION}",
    log:
        "logs/list_verdicts.log",
    localrule: True
    conda:
        "../envs/verify.yaml"
    params:
        run_settings=SETTINGS,
        products=INPUTS.products_trigger,
        settings=lambda wildcards: INPUTS.run.grouping_trigger(),
        format=FORMAT,
    message:
        "Listing the verdicts in {output.table}"
    shell:
        "exp-to-source verdicts {params.run_settings:q} {output.table:q} "
        "--source-list {input.sources:q} --verdicts {input.verdicts:q} "
        "--fingerprints {input.fingerprints:q} 2> {log:q}"


rule verify:
    # It makes no file, so it fails each time, and the table remains for reading. The products are
    # inputs, so that a missing one is noticed.
    input:
        products=INPUTS.products,
        table=rules.list_verdicts.output.table,
    log:
        "logs/verify.log",
    localrule: True
    conda:
        "../envs/verify.yaml"
    message:
        "Reading the verdicts in {input.table}"
    shell:
        "exp-to-source check {input.table:q} 2> {log:q}"
