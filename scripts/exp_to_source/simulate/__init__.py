"""Exposures to try and test with.

In: a description of a simulation. Out: cal exposures as the jwst package writes them.
"""
