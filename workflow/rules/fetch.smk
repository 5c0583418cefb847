"""Fetch exposures and associations that the settings name by an address, each once.

To fetch again what changed there: --forcerun fetch_exposure.
"""


rule fetch_exposure:
    output:
        # Updated: if what changed cannot be fetched, Snakemake restores what there was.
        file=update(names.fetched_path("results", "{file}")),
    log:
        "logs/fetch_exposure/{file}.log",
    wildcard_constraints:
        # Which members there are, is known when their association was fetched.
        file=one_of(map(os.path.basename, RUN.addresses)) if RUN.is_complete else EXPOSURE,
    # Nodes of clusters may have no network.
    localrule: True
    conda:
        "../envs/fetch.yaml"
    resources:
        # Archives answer 429 to too many at a time; see the profiles.
        downloads=1,
    params:
        address=INPUTS.address,
    message:
        "Fetching {params.address}"
    shell:
        "exp-to-source fetch {params.address:q} {output.file:q} 2>&1 | tee {log:q} >&2"


checkpoint read_associations:
    # A checkpoint, as the members of those that are fetched are known after it.
    input:
        associations=list(map(local, RUN.fetched_associations)),
    output:
        done=touch(names.fetched_path("results", ".associations")),
    localrule: True
    message:
        "Reading the associations that were fetched"
