"""Steps of the jwst package: on products, and on exposures before products are made of them.

In: a product. Out: the results of the later steps, up to spectra.
"""
