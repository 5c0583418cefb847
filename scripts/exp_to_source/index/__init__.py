"""From an exposure to its index.

In: a cal exposure in FITS. Out: where the bytes of each slit are, what they are, and what changes
in a product.
"""
