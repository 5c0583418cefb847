"""Verify products against their exposures, with code independent of the writer.

To repeat an earlier verification: --forcerun fingerprint_exposure.
"""


def fingerprint_files(wildcards):
    """Fingerprints of the exposures that were not skipped."""
    rows()
    skipped = {row["exposure"] for row in read_table(f"{RESULTS}/{names.SKIPPED}")}
    return [f"{FINGERPRINTS}/{name}.jsonl" for name in RUN.exposures if name not in skipped]


rule fingerprint_exposure:
    input:
        exposure=exposure_file,
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
        source=exposure_trigger,
        format=FORMAT,
    message:
        "Taking fingerprints of {wildcards.exposure}"
    shell:
        "{EXP_TO_SOURCE} fingerprint {input.exposure:q} {output.fingerprints:q} 2> {log:q}"


rule verify_products:
    input:
        products=batch_of(VERIFIED_BATCH),
        fingerprints=fingerprint_files,
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
        settings=lambda wildcards: RUN.grouping_trigger(),
        format=FORMAT,
    message:
        "Verifying batch {wildcards.batch} of the products"
    shell:
        "{EXP_TO_SOURCE} verify {SETTINGS:q} {output.verdicts:q} "
        "--products {input.products:q} --results {RESULTS:q} 2> {log:q}"


rule list_verdicts:
    input:
        verdicts=all_batches(VERDICTS, VERIFIED_BATCH),
        fingerprints=fingerprint_files,
        sources=TABLE,
    output:
        table=f"results/{names.VERIFICATION}",
    log:
        "logs/list_verdicts.log",
    localrule: True
    conda:
        "../envs/verify.yaml"
    resources:
        mem_mb=500,
    params:
        products=all_products_trigger,
        settings=lambda wildcards: RUN.grouping_trigger(),
        format=FORMAT,
    message:
        "Listing the verdicts in {output.table}"
    shell:
        "{EXP_TO_SOURCE} verdicts {SETTINGS:q} {output.table:q} "
        "--source-list {input.sources:q} --verdicts {input.verdicts:q} "
        "--fingerprints {input.fingerprints:q} 2> {log:q}"


rule verify:
    # It makes no file, so it fails each time, and the table remains for reading. The products are
    # inputs, so that a missing one is noticed.
    input:
        products=product_files,
        table=rules.list_verdicts.output.table,
    log:
        "logs/verify.log",
    localrule: True
    conda:
        "../envs/verify.yaml"
    resources:
        mem_mb=500,
    message:
        "Reading the verdicts in {input.table}"
    shell:
        "{EXP_TO_SOURCE} check {input.table:q} 2> {log:q}"
