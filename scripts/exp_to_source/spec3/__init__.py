"""From products to spectra.

In: a product. Out: the results of the later steps of the jwst package.
"""
