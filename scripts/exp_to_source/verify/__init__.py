"""Comparing products with their exposures, with code that shares nothing with the writer.

In: exposures and products. Out: a verdict on each product.
"""
