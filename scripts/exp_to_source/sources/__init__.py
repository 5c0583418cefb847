"""From the indices of all exposures to the source list.

In: indices, associations, the user's choice. Out: the table of sources, and a manifest for each
product.
"""
