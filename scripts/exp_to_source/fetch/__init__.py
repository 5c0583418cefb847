"""Find exposures and associations at MAST, and download what settings name by an address.

In: a program, or the address of a file. Out: addresses, or the file.
"""
