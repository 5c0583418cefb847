"""Code for the process of Snakemake itself: settings, exposures, progress, summary.

In: the configuration. Out: settings and files of a run, and its messages. It imports nothing slow.
"""
