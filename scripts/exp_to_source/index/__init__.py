"""From an exposure to its index.

In: a cal exposure in FITS. Out: the offsets of the bytes of each slit, their meaning, and the
changes for a product.
"""
