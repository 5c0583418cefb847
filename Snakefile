"""Regroup JWST exposure-based "cal" products by source (stage 2 to stage 3)."""

from snakemake.utils import min_version

min_version("9.19")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/settings.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/fetch.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/index.smk"
include: "workflow/rules/sources.smk"
include: "workflow/rules/gather.smk"
include: "workflow/rules/verify.smk"
include: "workflow/rules/quicklook.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/spec3.smk"
include: "workflow/rules/hooks.smk"


rule all:
    input:
        table=TABLE,
        products=INPUTS.products,
        quicklooks=lambda wildcards: INPUTS.quicklooks() if config["quicklook"] else [],
