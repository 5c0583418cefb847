"""Draw a picture of each product: its cut-outs, one below another."""


def all_quicklooks(wildcards):
    """Quick looks of all products."""
    return [quicklook_path("results", name) for name in rows()]


def requested_quicklooks(wildcards):
    """Quick looks that every run makes."""
    return all_quicklooks(wildcards) if config["quicklook"] else []


def spectrum_trigger(wildcards):
    """State of the spectrum of a product: pictures show an existing one, but do not make it."""
    return str(file_state(spectrum_path(RESULTS, PRODUCT.format(**wildcards), "x1d")))


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
        digest=product_trigger,
        spectrum=spectrum_trigger,
        format=FORMAT,
    message:
        "Drawing {output.quicklook}"
    shell:
        "{EXP_TO_SOURCE} quicklook {input.product:q} {output.quicklook:q} "
        "--results {RESULTS:q} --fork 2> {log:q}"


rule quicklook:
    input:
        quicklooks=all_quicklooks,
