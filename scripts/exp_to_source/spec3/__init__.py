"""From products to spectra.

In: a product. Out: what the later steps of the jwst package make of it.
"""
