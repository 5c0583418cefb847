"""A picture of a product.

In: a product, its manifest and its spectrum. Out: its cut-outs as PNG.
"""
