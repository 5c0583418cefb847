"""Products are proved to be their exposures, independently of the code that wrote them.

To prove files that were verified before once more: --forcerun fingerprint_exposure.
"""


rule fingerprint_exposure:
    input:
        exposure=lambda wildcards: EXPOSURES[wildcards.exposure],
    output:
        fingerprints=f"{VERIFY}/exposures/{{exposure}}.jsonl",
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
        products=batch_files,
        fingerprints=expand(f"{VERIFY}/exposures/{{exposure}}.jsonl", exposure=EXPOSURES),
        associations=[association.path for association in ASSOCIATIONS],
    output:
        verdicts=f"{VERIFY}/products/{{batch}}.jsonl",
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
        fingerprints=f"{VERIFY}/exposures",
        format=FORMAT,
    message:
        "Verifying batch {wildcards.batch} of the products"
    shell:
        "{params.command} {output.verdicts:q} --products {input.products:q} "
        "--fingerprints {params.fingerprints:q} --associations {input.associations:q} 2> {log:q}"


rule verify:
    # The table is not declared: Snakemake would remove it where this rule fails, and that is
    # when one wants to read it. The products are, so that one that is gone is noticed.
    input:
        products=product_files,
        verdicts=verdict_files,
        fingerprints=rules.verify_products.input.fingerprints,
        associations=rules.verify_products.input.associations,
        sources=TABLE,
    log:
        "logs/verify.log",
    localrule: True
    conda:
        "../envs/verify.yaml"
    resources:
        mem_mb=500,
    params:
        command=command("list_verdicts"),
        table=f"{VERIFY}.tsv",
    message:
        "Listing the verdicts in {params.table}"
    shell:
        "{params.command} {params.table:q} --sources {input.sources:q} "
        "--verdicts {input.verdicts:q} --fingerprints {input.fingerprints:q} "
        "--associations {input.associations:q} 2> {log:q}"
