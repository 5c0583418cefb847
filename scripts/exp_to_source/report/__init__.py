"""The report of a run, as one page.

In: the results of a run. Out: an HTML page that needs no network.
"""
