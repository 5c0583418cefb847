"""Draw a picture of each product: its cut-outs, one below another."""


rule draw_quicklook:
    input:
        product=CAL_PRODUCT,
        manifest=INPUTS.manifest,
    output:
        quicklook=report(
            names.quicklook_path("results", PRODUCT),
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
        digest=INPUTS.product_trigger,
        spectrum=INPUTS.spectrum_trigger,
        format=FORMAT,
    message:
        "Drawing {output.quicklook}"
    shell:
        "exp-to-source quicklook {input.product:q} {output.quicklook:q} "
        "--results {params.results:q} --fork 2> {log:q}"


rule quicklook:
    input:
        quicklooks=INPUTS.quicklooks,
