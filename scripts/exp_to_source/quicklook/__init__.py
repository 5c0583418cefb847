"""A picture of a product.

In: a product and its manifest. Out: its cut-outs as PNG.
"""
