"""Verify products against their exposures, with code independent of the writer.

To repeat an earlier verification: --forcerun fingerprint_exposure.
"""


rule fingerprint_exposure:
    input:
        exposure=exposure_file,
    output:
        fingerprints=f"{FINGERPRINTS}/{{exposure}}.jsonl",
    log:
        "logs/fingerprint_exposure/{exposure}.log",
    wildcard_constraints:
        exposure="[A-Za-z0-9][A-Za-z0-9_.+-]*",
    conda:
        "../envs/verify.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        command=command("fingerprint_exposure"),
        format=FORMAT,
    message:
        "Taking fingerprints of {wildcards.exposure}"
    shell:
        "{params.command} {input.exposure:q} {output.fingerprints:q} 2> {log:q}"


rule verify_products:
    input:
        products=batch_of(VERIFIED_BATCH),
        fingerprints=fingerprint_files,
        associations=association_files(),
        joins=table_files("joins"),
    output:
        verdicts=f"{VERDICTS}/{{batch}}.jsonl",
    log:
        "logs/verify_products/{batch}.log",
    wildcard_constraints:
        batch="[0-9]+",
    conda:
        "../envs/verify.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        command=command("verify_products"),
        fingerprints=on_disk(FINGERPRINTS),
        manifests=on_disk(f"results/{names.MANIFESTS}"),
        joins=join_options(),
        format=FORMAT,
    message:
        "Verifying batch {wildcards.batch} of the products"
    shell:
        "{params.command} {output.verdicts:q} --products {input.products:q} "
        "--fingerprints {params.fingerprints:q} --manifests {params.manifests:q} "
        "--associations {input.associations:q} {params.joins:q} 2> {log:q}"


rule list_verdicts:
    input:
        verdicts=all_batches(VERDICTS, VERIFIED_BATCH),
        fingerprints=fingerprint_files,
        associations=rules.verify_products.input.associations,
        sources=TABLE,
        tables=table_files("joins"),
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
        command=command("list_verdicts"),
        settings=join_options(),
        format=FORMAT,
    message:
        "Listing the verdicts in {output.table}"
    shell:
        "{params.command} {output.table:q} --source-list {input.sources:q} "
        "--verdicts {input.verdicts:q} --fingerprints {input.fingerprints:q} "
        "--associations {input.associations:q} {params.settings:q} 2> {log:q}"


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
    params:
        command=command("check_verdicts"),
    message:
        "Reading the verdicts in {input.table}"
    shell:
        "{params.command} {input.table:q} 2> {log:q}"
