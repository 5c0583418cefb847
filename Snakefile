"""Regroup JWST exposure-based "cal" products by source (stage 2 to stage 3)."""

from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/index.smk"
include: "workflow/rules/sources.smk"
include: "workflow/rules/gather.smk"
include: "workflow/rules/verify.smk"


localrules:
    all,
    sources,


rule all:
    default_target: True
    input:
        table="results/sources.tsv",
        products=product_files,
