"""What the process of Snakemake uses itself: settings, exposures, progress, summary.

In: the configuration. Out: the request of a run, and what it says. Nothing heavy is imported.
"""
