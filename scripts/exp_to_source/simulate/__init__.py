"""Simulated exposures, for demonstrations and tests.

In: a description of a simulation. Out: cal exposures as the jwst package writes them.
"""
