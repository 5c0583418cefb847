"""Products compared with their exposures, by code that shares nothing with what wrote them.

In: exposures and products. Out: a verdict on each product.
"""
