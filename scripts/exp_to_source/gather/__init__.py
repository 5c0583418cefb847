"""From a manifest to its product.

In: a manifest, the indices and exposures that it names. Out: one source-based product. It uses only
the standard library.
"""
