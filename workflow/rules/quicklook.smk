"""Draw a picture of each product: its cut-outs, one below another."""


rule draw_quicklook:
    input:
        product=CAL_PRODUCT,
        manifest=manifest_of,
    output:
        quicklook=report(
            quicklook_path("results", PRODUCT),
            caption="../report/quicklook.rst",
            category="Quick looks",
            labels=lambda wildcards: {
                "source": wildcards.source,
                "association": wildcards.association.strip("_-"),
                "setting": wildcards.setting.strip("_-"),
            },
        ),
    log:
        f"logs/draw_quicklook/{PRODUCT}.log",
    wildcard_constraints:
        **PRODUCT_PARTS,
    conda:
        "../envs/look.yaml"
    resources:
        mem_mb=500,
    params:
        results=lambda wildcards: RESULTS,
        digest=product_trigger,
        spectrum=lambda wildcards: spectrum_state(PRODUCT.format(**wildcards)),
        format=FORMAT,
    message:
        "Drawing {output.quicklook}"
    shell:
        "exp-to-source quicklook {input.product:q} {output.quicklook:q} "
        "--results {params.results:q} --fork 2> {log:q}"


rule quicklook:
    input:
        quicklooks=quicklook_files,
