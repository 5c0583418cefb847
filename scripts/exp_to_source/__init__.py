"""Regroup JWST Stage 2 exposure-based "cal" products into source-based ones.

The library behind the workflow: it knows FITS, ASDF, keywords and names, and has no idea
that Snakemake exists.
"""

__version__ = "0.1.0"

#: Version of what is stored in indices and manifests, and of the products made from them.
#: Raised whenever any of the three changes, so that everything is made again.
FORMAT = 4
