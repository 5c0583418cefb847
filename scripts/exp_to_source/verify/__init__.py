"""Compare products with their exposures, using no code of the stages that read and wrote them.

Imported from the rest are constants, files, tables, errors and the list of HDUs, and the reading
of associations and of the table of joins. An error in these two is therefore not found.

In: exposures and products. Out: the status of each product.
"""
